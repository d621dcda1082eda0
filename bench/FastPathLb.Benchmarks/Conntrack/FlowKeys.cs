using System.Diagnostics.CodeAnalysis;
using FastPathLb.Conntrack;
using FastPathLb.Wire;
using FastPathLb.Workload;

namespace FastPathLb.Benchmarks.Conntrack;

/// <summary>Keys of the peers' flows, and what a Dictionary needs to hold them.</summary>
internal static class FlowKeys
{
    /// <summary>The key of a flow from its client; odd networks are flows that were never there.</summary>
    public static FlowKey Original(uint flow, ushort network = 1) => new()
    {
        Source = PeerFrames.ClientAddress(flow),
        Destination = PeerFrames.VirtualAddress,
        SourcePort = PeerFrames.ClientPort(flow),
        DestinationPort = PeerFrames.ServicePort(flow),
        Protocol = IpProtocol.Tcp,
        Network = network,
    };

    /// <summary>The key of its answers: one port number for each flow of a service port and server.</summary>
    public static FlowKey Reply(uint flow) => new()
    {
        Source = PeerFrames.ServerAddress((int)(flow & 1)),
        Destination = PeerFrames.BalancerAddress,
        SourcePort = PeerFrames.ServicePort(flow),
        DestinationPort = (ushort)(1024 + ((flow >> 1) & 0x7FFF)),
        Protocol = IpProtocol.Tcp,
        Network = 1,
    };

    /// <summary>The keys' own comparison and hash, so that the dictionary loses nothing by its comparer.</summary>
    public sealed class Comparer : IEqualityComparer<FlowKey>
    {
        public bool Equals(FlowKey left, FlowKey right) => left.Matches(right);

        public int GetHashCode([DisallowNull] FlowKey key) => (int)key.Hash(0x5EED);
    }
}
