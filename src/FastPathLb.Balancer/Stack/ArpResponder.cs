using System.Buffers.Binary;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Stack;

/// <summary>ARP as Linux answers it with its defaults: for every local address, on whatever interface it is (net/ipv4/arp.c).</summary>
internal sealed class ArpResponder
{
    private const int ArpBytes = 28;
    private const ushort Request = 1;
    private const ushort Reply = 2;
    private const ushort HardwareEthernet = 1;

    private readonly NetworkNamespace _space;

    public ArpResponder(NetworkNamespace space) => _space = space;

    /// <summary>Whether it learns without answering, since another worker answers.</summary>
    public bool IsMute { get; set; }

    public Outcome Receive(
        NetworkInterface device, FrameBatch batch, int frameOffset, int headerBytes, int capturedBytes, int inputIndex, long now)
    {
        if (capturedBytes < headerBytes + ArpBytes)
        {
            return Outcome.Dropped(DropReason.ArpMalformed);
        }

        Span<byte> arp = batch.Slice(frameOffset + headerBytes, ArpBytes);
        ushort operation = BinaryPrimitives.ReadUInt16BigEndian(arp[6..]);
        if (BinaryPrimitives.ReadUInt16BigEndian(arp) != HardwareEthernet
            || BinaryPrimitives.ReadUInt16BigEndian(arp[2..]) != (ushort)EtherType.Ipv4
            || arp[4] != MacAddress.LengthBytes || arp[5] != Ipv4Address.LengthBytes
            || operation is not (Request or Reply))
        {
            return Outcome.Dropped(DropReason.ArpMalformed);
        }

        MacAddress senderMac = MacAddress.Read(arp[8..]);
        uint sender = BinaryPrimitives.ReadUInt32BigEndian(arp[14..]);
        uint target = BinaryPrimitives.ReadUInt32BigEndian(arp[24..]);
        if (target >> 28 == 0xE || target >> 24 == 127)
        {
            return Outcome.Dropped(DropReason.ArpMalformed);
        }

        bool isForUs = _space.IsLocalAddress(target);
        if (sender != 0 && !_space.IsLocalAddress(sender)
            && (operation == Reply || isForUs || _space.Neighbors.Entries.ContainsKey(sender)))
        {
            // An answer to others, or one that nobody asked for, says where the sender is and not that it hears us (arp_process).
            bool isAnswer = operation == Reply && isForUs && MacAddress.Read(batch.Slice(frameOffset, MacAddress.LengthBytes)) == device.Mac;
            _space.Neighbors.Learn(sender, senderMac, isAnswer, now);
            _space.Resolver.Resolve(sender, batch, inputIndex, now);
        }

        if (operation == Reply)
        {
            return Outcome.Consumed(DropReason.LocalDeliveredToStack);
        }

        if (!isForUs)
        {
            return Outcome.Dropped(DropReason.ArpNotForUs);
        }

        if (IsMute)
        {
            return Outcome.Consumed(DropReason.LocalDeliveredToStack);
        }

        DropReason dropped = Answer(device, batch, arp, senderMac, sender, target, inputIndex, now);
        return dropped == DropReason.None ? Outcome.Answered() : Outcome.Dropped(dropped);
    }

    private DropReason Answer(
        NetworkInterface device, FrameBatch batch, ReadOnlySpan<byte> request, MacAddress senderMac, uint sender, uint target,
        int inputIndex, long now)
    {
        const int FrameBytes = LinkInput.EthernetHeaderBytes + ArpBytes;
        int offset = batch.RentOutput(FrameBytes);
        Span<byte> frame = batch.Slice(offset, FrameBytes);
        senderMac.WriteTo(frame);
        device.Mac.WriteTo(frame[6..]);
        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], (ushort)EtherType.Arp);
        Span<byte> reply = frame[LinkInput.EthernetHeaderBytes..];
        request[..6].CopyTo(reply);
        BinaryPrimitives.WriteUInt16BigEndian(reply[6..], Reply);
        device.Mac.WriteTo(reply[8..]);
        BinaryPrimitives.WriteUInt32BigEndian(reply[14..], target);
        senderMac.WriteTo(reply[18..]);
        BinaryPrimitives.WriteUInt32BigEndian(reply[24..], sender);
        return _space.LinkOf(device).Transmit(batch, offset, FrameBytes, inputIndex, now);
    }
}
