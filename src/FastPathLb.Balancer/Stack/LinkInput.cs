using System.Buffers.Binary;
using FastPathLb.Balancer.FastPath;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Stack;

/// <summary>Ethernet frames as they come in: for whom, and which protocol (eth_type_trans).</summary>
internal sealed class LinkInput
{
    internal const int EthernetHeaderBytes = 14;
    private const int VlanTagBytes = 4;

    private readonly NetworkNamespace _space;
    private readonly Packet _packet = new() { Recorder = new DecisionRecorder() };

    public LinkInput(NetworkNamespace space) => _space = space;

    /// <summary>The IPv4 packet that came in last, as it is after its processing.</summary>
    public Packet Packet => _packet;

    /// <summary>How long an Ethernet frame is on the wire, in bytes: more than what is there, where a capture cut the packet in it.</summary>
    internal static int WireLength(ReadOnlySpan<byte> frame)
    {
        bool isIpv4 = frame.Length >= EthernetHeaderBytes + Ipv4.HeaderLengthMinimum
            && BinaryPrimitives.ReadUInt16BigEndian(frame[12..]) == (ushort)EtherType.Ipv4;
        return isIpv4
            ? Math.Max(
                frame.Length,
                EthernetHeaderBytes + BinaryPrimitives.ReadUInt16BigEndian(frame[(EthernetHeaderBytes + Ipv4.TotalLengthOffset)..]))
            : frame.Length;
    }

    public Outcome Receive(
        NetworkInterface device, FrameBatch batch, int offset, int capturedBytes, int wireBytes, int inputIndex, long now,
        out int connection)
    {
        connection = -1;
        if (capturedBytes < EthernetHeaderBytes)
        {
            return Outcome.Dropped(DropReason.FrameTooShort);
        }

        Span<byte> frame = batch.Slice(offset, capturedBytes);
        MacAddress destination = MacAddress.Read(frame);
        PacketCast cast = destination == device.Mac ? PacketCast.Host
            : destination.IsBroadcast ? PacketCast.Broadcast
            : destination.IsMulticast ? PacketCast.Multicast
            : PacketCast.OtherHost;
        EtherType etherType = (EtherType)BinaryPrimitives.ReadUInt16BigEndian(frame[12..]);
        int headerBytes = EthernetHeaderBytes;
        if (etherType == EtherType.Vlan && capturedBytes >= EthernetHeaderBytes + VlanTagBytes
            && (BinaryPrimitives.ReadUInt16BigEndian(frame[14..]) & 0x0FFF) == 0)
        {
            // A priority tag (VLAN 0) does not name a VLAN: the frame belongs to the interface itself.
            etherType = (EtherType)BinaryPrimitives.ReadUInt16BigEndian(frame[16..]);
            headerBytes += VlanTagBytes;
        }

        switch (etherType)
        {
            case EtherType.Arp:
                return cast == PacketCast.OtherHost
                    ? Outcome.Dropped(DropReason.OtherHost)
                    : _space.Arp.Receive(device, batch, offset, headerBytes, capturedBytes, inputIndex, now);

            case EtherType.Ipv4:
                Outcome outcome = _space.Ipv4Input.Receive(
                    _packet, device, cast, batch, offset + headerBytes, capturedBytes - headerBytes, wireBytes - headerBytes,
                    inputIndex, now);
                connection = _packet.BalancedBy >= 0 ? _packet.BalancedBy : _packet.Connection;
                return outcome;

            case EtherType.Vlan or EtherType.QinQ:
                return Outcome.Dropped(DropReason.VlanTagged);

            case EtherType.Ipv6:
                return Outcome.Dropped(DropReason.Ipv6Unserved);

            default:
                return Outcome.Dropped(DropReason.EtherTypeUnserved);
        }
    }
}
