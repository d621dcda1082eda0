using System.Buffers.Binary;
using System.Globalization;

namespace FastPathLb.Wire;

/// <summary>IPv4 address (RFC 791).</summary>
/// <param name="Value">The four bytes as a big-endian number: 10.0.1.2 is 0x0A000102.</param>
public readonly record struct Ipv4Address(uint Value) : IComparable<Ipv4Address>
{
    /// <summary>Length on the wire, in bytes.</summary>
    public const int LengthBytes = 4;

    /// <summary>0.0.0.0.</summary>
    public static Ipv4Address Any => default;

    /// <summary>In 224.0.0.0/4 (RFC 5771).</summary>
    public bool IsMulticast => Value >> 28 == 0xE;

    /// <summary>255.255.255.255 (RFC 919).</summary>
    public bool IsLimitedBroadcast => Value == uint.MaxValue;

    /// <summary>In 127.0.0.0/8 (RFC 1122, section 3.2.1.3).</summary>
    public bool IsLoopback => Value >> 24 == 127;

    /// <summary>0.0.0.0.</summary>
    public bool IsZero => Value == 0;

    /// <summary>Numerically before.</summary>
    public static bool operator <(Ipv4Address left, Ipv4Address right) => left.Value < right.Value;

    /// <summary>Numerically after.</summary>
    public static bool operator >(Ipv4Address left, Ipv4Address right) => left.Value > right.Value;

    /// <summary>Numerically before, or the same.</summary>
    public static bool operator <=(Ipv4Address left, Ipv4Address right) => left.Value <= right.Value;

    /// <summary>Numerically after, or the same.</summary>
    public static bool operator >=(Ipv4Address left, Ipv4Address right) => left.Value >= right.Value;

    /// <summary>Reads the first four bytes.</summary>
    public static Ipv4Address Read(ReadOnlySpan<byte> bytes) => new(BinaryPrimitives.ReadUInt32BigEndian(bytes));

    /// <summary>Reads text of four decimal parts, such as <c>10.0.1.2</c>.</summary>
    /// <exception cref="FormatException">The text is something else.</exception>
    public static Ipv4Address Parse(string text) =>
        TryParse(text, out Ipv4Address address) ? address : throw new FormatException($"'{text}' is not an IPv4 address.");

    /// <summary>
    /// Reads text of four decimal parts, such as <c>10.0.1.2</c>. Strict: no parts left out, no leading zeros
    /// (octal to some readers), no spaces.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Ipv4Address address)
    {
        address = default;
        uint value = 0;
        uint part = 0;
        int digits = 0;
        int dots = 0;
        foreach (char character in text)
        {
            if (character == '.')
            {
                if (digits == 0 || ++dots > 3)
                {
                    return false;
                }

                value = (value << 8) | part;
                part = 0;
                digits = 0;
                continue;
            }

            bool hasLeadingZero = digits == 1 && part == 0;
            if (!char.IsAsciiDigit(character) || hasLeadingZero)
            {
                return false;
            }

            part = (part * 10) + (uint)(character - '0');
            digits++;
            if (part > byte.MaxValue)
            {
                return false;
            }
        }

        if (dots != 3 || digits == 0)
        {
            return false;
        }

        address = new Ipv4Address((value << 8) | part);
        return true;
    }

    /// <summary>Orders numerically.</summary>
    public int CompareTo(Ipv4Address other) => Value.CompareTo(other.Value);

    /// <summary>Writes four bytes, first byte first.</summary>
    public void WriteTo(Span<byte> bytes) => BinaryPrimitives.WriteUInt32BigEndian(bytes, Value);

    /// <summary>Text such as <c>10.0.1.2</c>.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Value >> 24}.{(byte)(Value >> 16)}.{(byte)(Value >> 8)}.{(byte)Value}");
}
