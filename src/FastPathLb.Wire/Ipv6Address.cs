using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace FastPathLb.Wire;

/// <summary>IPv6 address (RFC 4291).</summary>
/// <param name="Value">The sixteen bytes as a big-endian number.</param>
public readonly record struct Ipv6Address(UInt128 Value)
{
    /// <summary>Length on the wire, in bytes.</summary>
    public const int LengthBytes = 16;

    private const int GroupCount = 8;

    /// <summary>In ff00::/8.</summary>
    public bool IsMulticast => (byte)(Value >> 120) == 0xFF;

    /// <summary>The unspecified address, <c>::</c>.</summary>
    public bool IsZero => Value == UInt128.Zero;

    // ::ffff:a.b.c.d (RFC 4291, section 2.5.5.2).
    private bool IsIpv4Mapped => Value >> 32 == 0xFFFF;

    /// <summary>Reads the first sixteen bytes.</summary>
    public static Ipv6Address Read(ReadOnlySpan<byte> bytes) => new(BinaryPrimitives.ReadUInt128BigEndian(bytes));

    /// <summary>Reads the text forms of RFC 4291, section 2.2; no zone and no brackets.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Ipv6Address address)
    {
        address = default;
        int gap = text.IndexOf("::");
        if (gap < 0)
        {
            if (!TryParseGroups(text, isTail: true, out UInt128 whole, out int count) || count != GroupCount)
            {
                return false;
            }

            address = new Ipv6Address(whole);
            return true;
        }

        if (!TryParseGroups(text[..gap], isTail: false, out UInt128 head, out int headCount)
            || !TryParseGroups(text[(gap + 2)..], isTail: true, out UInt128 tail, out int tailCount)
            || headCount + tailCount >= GroupCount)
        {
            return false;
        }

        UInt128 high = headCount == 0 ? UInt128.Zero : head << (16 * (GroupCount - headCount));
        address = new Ipv6Address(high | tail);
        return true;
    }

    /// <summary>Writes sixteen bytes, first byte first.</summary>
    public void WriteTo(Span<byte> bytes) => BinaryPrimitives.WriteUInt128BigEndian(bytes, Value);

    /// <summary>
    /// The one text form of RFC 5952: lower case, no leading zeros, the first longest run of zero groups as <c>::</c>.
    /// </summary>
    public override string ToString()
    {
        if (IsIpv4Mapped)
        {
            return $"::ffff:{new Ipv4Address((uint)Value)}";
        }

        (int gapStart, int gapCount) = LongestZeroRun();
        var text = new StringBuilder(40);
        int index = 0;
        while (index < GroupCount)
        {
            if (index == gapStart)
            {
                text.Append("::");
                index += gapCount;
                continue;
            }

            if (index != 0 && index != gapStart + gapCount)
            {
                text.Append(':');
            }

            text.Append(CultureInfo.InvariantCulture, $"{Group(index):x}");
            index++;
        }

        return text.ToString();
    }

    // Groups separated by single colons; the address's last may be an IPv4 address and then counts for two.
    // Empty text has none.
    private static bool TryParseGroups(ReadOnlySpan<char> text, bool isTail, out UInt128 value, out int count)
    {
        value = UInt128.Zero;
        count = 0;
        bool more = text.Length > 0;
        while (more)
        {
            int colon = text.IndexOf(':');
            more = colon >= 0;
            ReadOnlySpan<char> group = more ? text[..colon] : text;
            text = more ? text[(colon + 1)..] : default;

            if (!more && isTail && Ipv4Address.TryParse(group, out Ipv4Address embedded))
            {
                value = (value << 32) | embedded.Value;
                count += 2;
            }
            else if (TryParseGroup(group, out ushort bits))
            {
                value = (value << 16) | bits;
                count++;
            }
            else
            {
                return false;
            }

            if (count > GroupCount)
            {
                return false;
            }
        }

        return true;
    }

    private static bool TryParseGroup(ReadOnlySpan<char> text, out ushort value)
    {
        value = 0;
        if (text.Length is 0 or > 4)
        {
            return false;
        }

        foreach (char character in text)
        {
            if (!char.IsAsciiHexDigit(character))
            {
                return false;
            }

            value = (ushort)((value << 4) | (int)HexDigit.ValueOf(character));
        }

        return true;
    }

    private ushort Group(int index) => (ushort)(Value >> (16 * (GroupCount - 1 - index)));

    // A single zero group is written out (RFC 5952, section 4.2.2), so a run counts from two.
    private (int Start, int Count) LongestZeroRun()
    {
        int bestStart = -1;
        int bestCount = 1;
        int count = 0;
        for (int index = 0; index < GroupCount; index++)
        {
            count = Group(index) == 0 ? count + 1 : 0;
            if (count > bestCount)
            {
                bestCount = count;
                bestStart = index - count + 1;
            }
        }

        return bestStart < 0 ? (-1, 0) : (bestStart, bestCount);
    }
}
