using FastPathLb.Wire;

namespace FastPathLb.Conntrack.Tests;

/// <summary>Flow keys by number: all different.</summary>
internal static class Keys
{
    public static FlowKey Of(int number) => new()
    {
        Source = 0x0A000001 + (uint)(number / 50_000),
        Destination = 0x0A000102,
        SourcePort = (ushort)(1024 + (number % 50_000)),
        DestinationPort = 80,
        Protocol = IpProtocol.Tcp,
        Network = 1,
    };

    /// <summary>What a server of that number sends back, with a translated source.</summary>
    public static FlowKey ReplyOf(int number) => new()
    {
        Source = 0x0A000103,
        Destination = 0x0A000105 + (uint)(number / 50_000),
        SourcePort = 80,
        DestinationPort = (ushort)(1024 + (number % 50_000)),
        Protocol = IpProtocol.Tcp,
        Network = 1,
    };
}
