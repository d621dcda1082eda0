using System.Buffers.Binary;
using System.Globalization;

namespace FastPathLb.Wire;

/// <summary>IEEE 802 MAC address, six bytes.</summary>
/// <remarks>
/// <code>
///  63     48 47   40 39   32 31   24 23   16 15    8 7     0
/// +---------+-------+-------+-------+-------+-------+-------+
/// |    0    | byte 0| byte 1| byte 2| byte 3| byte 4| byte 5|
/// +---------+-------+-------+-------+-------+-------+-------+
/// </code>
/// Byte 0 is the first on the wire.
/// </remarks>
/// <param name="Value">The address as a big-endian number; bits 63..48 are ignored.</param>
public readonly record struct MacAddress(ulong Value)
{
    /// <summary>Length on the wire, in bytes.</summary>
    public const int LengthBytes = 6;

    private const ulong ValueMask = 0xFFFF_FFFF_FFFF;
    private const ulong GroupBit = 1UL << 40;
    private const ulong DockerPrefix = 0x0242UL << 32;
    private const int TextLength = 17;

    /// <summary>The address of every station: ff:ff:ff:ff:ff:ff.</summary>
    public static MacAddress Broadcast => new(ValueMask);

    /// <summary>The address as a big-endian number, bits 47..0.</summary>
    public ulong Value { get; } = Value & ValueMask;

    /// <summary>The group bit is set: multicast or broadcast.</summary>
    public bool IsMulticast => (Value & GroupBit) != 0;

    /// <summary>All 48 bits are set.</summary>
    public bool IsBroadcast => Value == ValueMask;

    /// <summary>No bit is set.</summary>
    public bool IsZero => Value == 0;

    /// <summary>The MAC that Docker derives for an endpoint without one of its own: 02:42 and the four address bytes.</summary>
    public static MacAddress FromDocker(Ipv4Address address) => new(DockerPrefix | address.Value);

    /// <summary>Reads the first six bytes.</summary>
    public static MacAddress Read(ReadOnlySpan<byte> bytes) =>
        new(((ulong)BinaryPrimitives.ReadUInt16BigEndian(bytes) << 32) | BinaryPrimitives.ReadUInt32BigEndian(bytes[2..]));

    /// <summary>Reads text such as <c>02:42:0a:00:01:05</c>: six pairs of hexadecimal digits.</summary>
    /// <exception cref="FormatException">The text is something else.</exception>
    public static MacAddress Parse(string text) =>
        TryParse(text, out MacAddress address) ? address : throw new FormatException($"'{text}' is not a MAC address.");

    /// <summary>Reads text such as <c>02:42:0a:00:01:05</c>: six pairs of hexadecimal digits.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out MacAddress address)
    {
        address = default;
        if (text.Length != TextLength)
        {
            return false;
        }

        ulong value = 0;
        for (int index = 0; index < text.Length; index++)
        {
            char character = text[index];
            if (index % 3 == 2)
            {
                if (character != ':')
                {
                    return false;
                }

                continue;
            }

            if (!char.IsAsciiHexDigit(character))
            {
                return false;
            }

            value = (value << 4) | HexDigit.ValueOf(character);
        }

        address = new MacAddress(value);
        return true;
    }

    /// <summary>Writes six bytes, first byte first.</summary>
    public void WriteTo(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt32BigEndian(bytes[2..], (uint)Value);
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)(Value >> 32));
    }

    /// <summary>Text such as <c>02:42:0a:00:01:05</c>.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[LengthBytes];
        WriteTo(bytes);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{bytes[0]:x2}:{bytes[1]:x2}:{bytes[2]:x2}:{bytes[3]:x2}:{bytes[4]:x2}:{bytes[5]:x2}");
    }
}
