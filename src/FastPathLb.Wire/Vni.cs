using System.Globalization;

namespace FastPathLb.Wire;

/// <summary>VXLAN network identifier (RFC 7348): 24 bits, so a larger number cannot be made.</summary>
public readonly record struct Vni
{
    /// <summary>The largest identifier.</summary>
    public const uint ValueMax = 0xFF_FFFF;

    internal Vni(uint value) => Value = value & ValueMax;

    /// <summary>0 to <see cref="ValueMax"/>.</summary>
    public uint Value { get; }

    /// <summary>Refuses numbers above <see cref="ValueMax"/>.</summary>
    public static bool TryCreate(uint value, out Vni vni)
    {
        vni = new Vni(value);
        return value <= ValueMax;
    }

    /// <summary>The decimal number.</summary>
    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}
