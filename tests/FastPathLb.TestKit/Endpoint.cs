using System.Globalization;
using FastPathLb.Wire;

namespace FastPathLb.TestKit;

/// <summary>An address and a port, written in tests as <c>"10.0.1.8:40000"</c>; without a colon the port is 0.</summary>
/// <param name="Address">Address.</param>
/// <param name="Port">Port, or an ICMP identifier.</param>
public readonly record struct Endpoint(Ipv4Address Address, ushort Port)
{
    /// <summary>Reads the text.</summary>
    public static implicit operator Endpoint(string text)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon < 0
            ? new Endpoint(Ipv4Address.Parse(text), 0)
            : new Endpoint(Ipv4Address.Parse(text[..colon]), ushort.Parse(text.AsSpan(colon + 1), CultureInfo.InvariantCulture));
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Address}:{Port}");
}
