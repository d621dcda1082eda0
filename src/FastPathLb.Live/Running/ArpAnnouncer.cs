using FastPathLb.Balancer.Tunnel;
using FastPathLb.Engine.Building;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Live.Running;

/// <summary>
/// Tells the link who the load balancer is (gratuitous ARP): three times, a second apart, as Docker does for a new interface, so that
/// who remembers another host under one of its addresses learns better at once.
/// </summary>
internal sealed class ArpAnnouncer
{
    private const int Times = 3;
    private const long IntervalNanoseconds = 1_000_000_000;

    // Ethernet and ARP, padded to the least an Ethernet frame has without its checksum.
    private const int FrameBytes = 60;
    private const int EthernetBytes = 14;

    private readonly BuiltLoadBalancer _built;
    private int _left;
    private long _due;

    public ArpAnnouncer(BuiltLoadBalancer built) => _built = built;

    /// <summary>Begins anew: at the start, and when addresses have changed.</summary>
    public void Restart()
    {
        _left = Times;
        _due = 0;
    }

    /// <summary>Announces where it is time.</summary>
    public void Run(FrameBatch batch, long now)
    {
        if (_left == 0 || now < _due)
        {
            return;
        }

        _left--;
        _due = now + IntervalNanoseconds;
        if (_built.Network is { } network)
        {
            Uplink uplink = network.Uplink;
            Emit(batch, uplink.Mac, new Ipv4Address(uplink.Address), now);
            return;
        }

        for (int index = 0; index < _built.Device.Addresses.Count; index++)
        {
            Emit(batch, _built.Device.Mac, _built.Device.Addresses[index].Address, now);
        }
    }

    private static void Emit(FrameBatch batch, MacAddress mac, Ipv4Address address, long now)
    {
        int offset = batch.RentOutput(FrameBytes);
        Span<byte> frame = batch.Slice(offset, FrameBytes);
        frame.Clear();
        new EthernetFields(MacAddress.Broadcast, mac, EtherType.Arp).WriteTo(frame);
        new ArpFields(ArpOperation.Request, mac, address, default, address).WriteTo(frame[EthernetBytes..]);
        batch.Emit(offset, FrameBytes, now, inputIndex: -1);
    }
}
