using System.Buffers.Binary;
using FastPathLb.Balancer.Stack;
using FastPathLb.Balancer.Tunnel;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Node;

/// <summary>A network's VXLAN device at its bridge: answers ARP from its neighbours and lets none out (arp_reduce), sends the rest to its
/// VTEP.</summary>
internal sealed class TunnelPort : BridgePort
{
    private const int ArpFrameBytes = LinkInput.EthernetHeaderBytes + ArpHeader.MinimumLengthBytes;

    private readonly NodeBridge _bridge;
    private readonly Packet _packet = new();

    public TunnelPort(NodeBridge bridge, uint vni, Uplink uplink)
    {
        _bridge = bridge;
        Network = new OverlayNetwork(vni, uplink, this);
    }

    /// <summary>The tunnel.</summary>
    public OverlayNetwork Network { get; }

    /// <summary>Who is on other nodes: what ARP is answered with.</summary>
    public NeighborTable Neighbors { get; } = new();

    /// <inheritdoc/>
    public override DropReason Deliver(FrameBatch batch, int offset, int lengthBytes, int inputIndex, long now)
    {
        Span<byte> frame = batch.Slice(offset, lengthBytes);
        if (Network.AnswersArp
            && BinaryPrimitives.ReadUInt16BigEndian(frame[12..]) == (ushort)EtherType.Arp
            && ArpHeader.TryParse(frame[LinkInput.EthernetHeaderBytes..], out ArpHeader arp)
            && arp.Operation == ArpOperation.Request
            && Neighbors.TryGet(arp.TargetAddress.Value, out MacAddress mac))
        {
            ArpFields answer = new(ArpOperation.Reply, mac, arp.TargetAddress, arp.SenderMac, arp.SenderAddress);
            int room = batch.RentOutput(ArpFrameBytes);
            Span<byte> reply = batch.Slice(room, ArpFrameBytes);
            new EthernetFields(answer.TargetMac, mac, EtherType.Arp).WriteTo(reply);
            answer.WriteTo(reply[LinkInput.EthernetHeaderBytes..]);
            return _bridge.Forward(this, batch, room, ArpFrameBytes, inputIndex, now);
        }

        PartialChecksum.Finish(_packet, batch, offset, lengthBytes, now);
        return Network.Transmit(batch, offset, lengthBytes, inputIndex, now);
    }

    /// <summary>Takes a frame out of the tunnel to the bridge.</summary>
    public Outcome Receive(FrameBatch batch, int offset, int lengthBytes, int inputIndex, long now) =>
        Outcome.Of(_bridge.Forward(this, batch, offset, lengthBytes, inputIndex, now));
}
