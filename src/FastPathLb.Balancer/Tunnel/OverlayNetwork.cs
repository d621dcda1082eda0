using System.Buffers.Binary;
using FastPathLb.Balancer.Stack;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Tunnel;

/// <summary>
/// An overlay network's own namespace as far as the load balancer's traffic goes: the bridge br0 between the load balancer's veth
/// and the VXLAN device, which answers ARP by proxy and floods nothing. Owned by one worker.
/// </summary>
public sealed class OverlayNetwork : ILinkOutput
{
    private const int EthernetBytes = 14;

    private readonly Uplink _uplink;
    private readonly NetworkNamespace _space;
    private readonly NetworkInterface _device;
    private readonly Node.TunnelPort? _port;

    /// <summary>Joins a namespace's interface with the uplink.</summary>
    public OverlayNetwork(uint vni, Uplink uplink, NetworkNamespace space, NetworkInterface device)
    {
        Vni = vni;
        _uplink = uplink;
        _space = space;
        _device = device;
        space.Connect(device, this);
        uplink.Add(this);
    }

    /// <summary>Joins a bridge of a whole node with the uplink.</summary>
    internal OverlayNetwork(uint vni, Uplink uplink, Node.TunnelPort port)
    {
        Vni = vni;
        _uplink = uplink;
        _space = null!;
        _device = null!;
        _port = port;
        uplink.Add(this);
    }

    /// <summary>VXLAN network identifier.</summary>
    public uint Vni { get; }

    /// <summary>The load balancer's interface on the network's bridge.</summary>
    internal NetworkInterface Device => _device;

    /// <summary>Whether a frame with this source from this VTEP is let in and teaches nothing.</summary>
    internal bool IsKnown(MacAddress source, uint vtep) =>
        (source != DeviceMac || DeviceMac.IsZero) && _uplink.IsKnown(vtep)
        && (!Learns || (!source.IsMulticast && !source.IsZero && Fdb.TryGet(source, out uint known) && known == vtep));

    /// <summary>The node's interface on the underlay.</summary>
    public Uplink Uplink => _uplink;

    /// <summary>Inner MAC → VTEP.</summary>
    public ForwardingDatabase Fdb { get; } = new();

    /// <summary>Hardware address of the VXLAN device itself.</summary>
    public MacAddress DeviceMac { get; set; }

    /// <summary>Whether source MACs are learned from what comes in.</summary>
    public bool Learns { get; set; } = true;

    /// <summary>Whether the device answers ARP itself and lets none out.</summary>
    public bool AnswersArp { get; set; } = true;

    /// <summary>From the tunnel over the bridge to the load balancer.</summary>
    internal Outcome ReceiveFromTunnel(
        FrameBatch batch, int offset, int capturedBytes, int wireBytes, uint vtep, byte outerEcn, int inputIndex, long now,
        out int connection)
    {
        connection = -1;
        if (capturedBytes < EthernetBytes)
        {
            return Outcome.Dropped(DropReason.FrameTruncatedByCapture);
        }

        Span<byte> frame = batch.Slice(offset, capturedBytes);
        MacAddress source = MacAddress.Read(frame[6..]);
        if (source == DeviceMac && !DeviceMac.IsZero)
        {
            return Outcome.Dropped(DropReason.VxlanInnerSourceInvalid);
        }

        if (Learns)
        {
            if (source.IsMulticast || source.IsZero)
            {
                return Outcome.Dropped(DropReason.VxlanInnerSourceInvalid);
            }

            if (!Fdb.Learn(source, vtep))
            {
                return Outcome.Dropped(DropReason.VxlanSourceMoved);
            }
        }

        if (!Uplink.TryMergeEcn(frame, outerEcn))
        {
            return Outcome.Dropped(DropReason.VxlanEcnInvalid);
        }

        if (_port is not null)
        {
            return _port.Receive(batch, offset, capturedBytes, inputIndex, now);
        }

        MacAddress destination = MacAddress.Read(frame);
        return destination != _device.Mac && !destination.IsMulticast
            ? Outcome.Dropped(DropReason.BridgeNotForLoadBalancer)
            : _space.Receive(_device, batch, offset, capturedBytes, wireBytes, inputIndex, now, out connection);
    }

    DropReason ILinkOutput.Transmit(FrameBatch batch, int offset, int lengthBytes, int inputIndex, long now) =>
        Transmit(batch, offset, lengthBytes, inputIndex, now);

    /// <summary>From the load balancer over the bridge to the tunnel.</summary>
    internal DropReason Transmit(FrameBatch batch, int offset, int lengthBytes, int inputIndex, long now)
    {
        Span<byte> frame = batch.Slice(offset, lengthBytes);
        if (AnswersArp && BinaryPrimitives.ReadUInt16BigEndian(frame[12..]) == (ushort)EtherType.Arp)
        {
            return DropReason.ArpAtTunnel;
        }

        return Fdb.TryGet(MacAddress.Read(frame), out uint vtep)
            ? _uplink.Send(batch, offset, lengthBytes, Vni, vtep, inputIndex, now)
            : DropReason.FdbMiss;
    }
}
