using System.Globalization;

namespace FastPathLb.Wire;

/// <summary>IPv4 address with a prefix length (RFC 4632), as an interface has it: the host bits are kept.</summary>
/// <param name="Address">Any address of the network.</param>
/// <param name="Length">Bits of the network part, 0 to 32.</param>
public readonly record struct Ipv4Prefix(Ipv4Address Address, int Length)
{
    /// <summary>Longest prefix, in bits: one address.</summary>
    public const int LengthMax = 32;

    /// <summary>Ones for the network part: /24 is 0xFFFFFF00.</summary>
    public uint Mask => Length <= 0 ? 0 : uint.MaxValue << (LengthMax - Length);

    /// <summary>First address of the network.</summary>
    public Ipv4Address Network => new(Address.Value & Mask);

    /// <summary>Last address of the network: its directed broadcast, where <see cref="Length"/> is 30 or less.</summary>
    public Ipv4Address Broadcast => new(Address.Value | ~Mask);

    /// <summary>Reads text such as <c>10.0.1.0/24</c>; an address alone is a /32.</summary>
    /// <exception cref="FormatException">The text is something else.</exception>
    public static Ipv4Prefix Parse(string text) =>
        TryParse(text, out Ipv4Prefix prefix) ? prefix : throw new FormatException($"'{text}' is not an IPv4 prefix.");

    /// <summary>Reads text such as <c>10.0.1.0/24</c>; an address alone is a /32.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Ipv4Prefix prefix)
    {
        prefix = default;
        int slash = text.IndexOf('/');
        int length = LengthMax;
        if (slash >= 0)
        {
            ReadOnlySpan<char> digits = text[(slash + 1)..];
            if (digits.Length is 0 or > 2
                || !int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out length)
                || length > LengthMax)
            {
                return false;
            }

            text = text[..slash];
        }

        if (!Ipv4Address.TryParse(text, out Ipv4Address address))
        {
            return false;
        }

        prefix = new Ipv4Prefix(address, length);
        return true;
    }

    /// <summary>Whether an address is in the network.</summary>
    public bool Contains(Ipv4Address address) => ((address.Value ^ Address.Value) & Mask) == 0;

    /// <summary>Text such as <c>10.0.1.0/24</c>; host bits are shown.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Address}/{Length}");
}
