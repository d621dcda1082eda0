using FastPathLb.Balancer.Stack;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Tunnel;

/// <summary>
/// ARP of the node itself on the underlay, where the load balancer is the node: answers for the VTEP's address, learns next hops and
/// asks for them. A replay needs none of it, since a recording's node has answered already. Owned by one worker.
/// </summary>
internal sealed class UplinkArp
{
    /// <summary>Next hops that are remembered as asked for.</summary>
    public const int QuestionsMax = 512;

    private const int ArpBytes = 28;
    private const int FrameBytes = LinkInput.EthernetHeaderBytes + ArpBytes;

    // retrans_time_ms: a hop is asked for at most once a second.
    private const long AskInterval = 1_000_000_000;

    private readonly Uplink _uplink;
    private readonly Dictionary<uint, long> _asked = new(QuestionsMax);

    public UplinkArp(Uplink uplink) => _uplink = uplink;

    /// <summary>Whether it learns without answering, since another worker answers.</summary>
    public bool IsMute { get; set; }

    public Outcome Receive(FrameBatch batch, int offset, int capturedBytes, int inputIndex, long now)
    {
        if (capturedBytes < FrameBytes
            || !ArpHeader.TryParse(batch.Slice(offset + LinkInput.EthernetHeaderBytes, ArpBytes), out ArpHeader arp)
            || arp.Operation is not (ArpOperation.Request or ArpOperation.Reply))
        {
            return Outcome.Dropped(DropReason.ArpMalformed);
        }

        bool isForUs = arp.TargetAddress.Value == _uplink.Address;
        Ipv4Address sender = arp.SenderAddress;
        MacAddress senderMac = arp.SenderMac;
        if (sender.Value != 0 && sender.Value != _uplink.Address && _uplink.Link.Contains(sender)
            && (isForUs || _uplink.Neighbors.Entries.ContainsKey(sender.Value)))
        {
            bool isAnswer = arp.Operation == ArpOperation.Reply && isForUs
                && MacAddress.Read(batch.Slice(offset, MacAddress.LengthBytes)) == _uplink.Mac;
            _uplink.Neighbors.Learn(sender.Value, senderMac, isAnswer, now);
            _asked.Remove(sender.Value);
        }

        if (arp.Operation == ArpOperation.Reply)
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

        Emit(batch, ArpOperation.Reply, senderMac, senderMac, sender, inputIndex, now);
        return Outcome.Answered();
    }

    /// <summary>Asks for a next hop, unless it was asked for within the last second.</summary>
    public void Ask(uint hop, FrameBatch batch, int inputIndex, long now)
    {
        if (_asked.TryGetValue(hop, out long last) ? now - last < AskInterval : _asked.Count == QuestionsMax)
        {
            return;
        }

        _asked[hop] = now;
        Emit(batch, ArpOperation.Request, MacAddress.Broadcast, default, new Ipv4Address(hop), inputIndex, now);
    }

    /// <summary>Asks a neighbour that was known whether it still is where it was.</summary>
    public void Probe(uint address, MacAddress mac, FrameBatch batch, long now) =>
        Emit(batch, ArpOperation.Request, mac, default, new Ipv4Address(address), inputIndex: -1, now);

    private void Emit(
        FrameBatch batch, ArpOperation operation, MacAddress destination, MacAddress target, Ipv4Address targetAddress,
        int inputIndex, long now)
    {
        int offset = batch.RentOutput(FrameBytes);
        Span<byte> frame = batch.Slice(offset, FrameBytes);
        new EthernetFields(destination, _uplink.Mac, EtherType.Arp).WriteTo(frame);
        new ArpFields(operation, _uplink.Mac, new Ipv4Address(_uplink.Address), target, targetAddress)
            .WriteTo(frame[LinkInput.EthernetHeaderBytes..]);
        batch.Emit(offset, FrameBytes, now, inputIndex);
    }
}
