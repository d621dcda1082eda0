using FastPathLb.Balancer.Stack;
using FastPathLb.Balancer.Tunnel;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Node;

/// <summary>
/// A bridge of a node: br0 of an overlay network, or docker_gwbridge. Learns where MACs are, floods what it does not know
/// (br_handle_frame_finish). Owned by one worker.
/// </summary>
public sealed class NodeBridge
{
    private const int MacCountMax = 1 << 13;

    private readonly List<BridgePort> _ports = [];
    private readonly Dictionary<MacAddress, BridgePort> _macs = new(MacCountMax);

    internal NodeBridge(string name) => Name = name;

    /// <summary>The network's name.</summary>
    public string Name { get; }

    /// <summary>The VXLAN identifier of its tunnel; null where the bridge has none.</summary>
    public uint? Vni => Tunnel?.Network.Vni;

    /// <summary>Which MACs are behind which VTEP; null where the bridge has no tunnel.</summary>
    public ForwardingDatabase? Fdb => Tunnel?.Network.Fdb;

    /// <summary>Who is on other nodes: what its tunnel answers ARP with; null where the bridge has no tunnel.</summary>
    public NeighborTable? Neighbors => Tunnel?.Neighbors;

    /// <summary>The tunnel to other nodes; null where the bridge has none.</summary>
    internal TunnelPort? Tunnel { get; private set; }

    /// <summary>Plugs something in; its own MAC, where it has one, is known from then on.</summary>
    internal void Add(BridgePort port, MacAddress? mac)
    {
        _ports.Add(port);
        Tunnel ??= port as TunnelPort;
        if (mac is { } known)
        {
            _macs[known] = port;
        }
    }

    /// <summary>Forwards a frame that came in by a port.</summary>
    /// <returns>Why it went nowhere, or none.</returns>
    internal DropReason Forward(BridgePort from, FrameBatch batch, int offset, int lengthBytes, int inputIndex, long now)
    {
        if (lengthBytes < LinkInput.EthernetHeaderBytes)
        {
            return DropReason.FrameTooShort;
        }

        Span<byte> frame = batch.Slice(offset, lengthBytes);
        MacAddress source = MacAddress.Read(frame[MacAddress.LengthBytes..]);
        if (!source.IsMulticast && !source.IsZero && (_macs.Count < MacCountMax || _macs.ContainsKey(source)))
        {
            _macs[source] = from;
        }

        MacAddress destination = MacAddress.Read(frame);
        if (!destination.IsMulticast && _macs.TryGetValue(destination, out BridgePort? known))
        {
            return known == from ? DropReason.OtherHost : known.Deliver(batch, offset, lengthBytes, inputIndex, now);
        }

        return Flood(from, batch, offset, lengthBytes, inputIndex, now);
    }

    // Each port but the last gets a copy: what is delivered is rewritten where it lies.
    private DropReason Flood(BridgePort from, FrameBatch batch, int offset, int lengthBytes, int inputIndex, long now)
    {
        DropReason result = DropReason.OtherHost;
        BridgePort? last = null;
        foreach (BridgePort port in _ports)
        {
            if (port == from)
            {
                continue;
            }

            if (last is not null)
            {
                int copy = batch.RentOutput(lengthBytes);
                batch.Slice(offset, lengthBytes).CopyTo(batch.Slice(copy, lengthBytes));
                result = Better(result, last.Deliver(batch, copy, lengthBytes, inputIndex, now));
            }

            last = port;
        }

        return last is null ? result : Better(result, last.Deliver(batch, offset, lengthBytes, inputIndex, now));
    }

    // A flooded frame went somewhere if any port took it; else the tunnel's reason says more than another host's.
    private static DropReason Better(DropReason one, DropReason other) =>
        one == DropReason.None || other == DropReason.None ? DropReason.None : other == DropReason.OtherHost ? one : other;
}
