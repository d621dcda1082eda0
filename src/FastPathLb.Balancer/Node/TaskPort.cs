using System.Buffers.Binary;
using FastPathLb.Balancer.Stack;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Node;

/// <summary>
/// A task of this node at a bridge. What is addressed to it leaves the emulator here, what it sends comes in here, and ARP for its address
/// is answered for it. Of its namespace the rules are emulated, where they are known.
/// </summary>
internal sealed class TaskPort : BridgePort
{
    private const int ArpFrameBytes = LinkInput.EthernetHeaderBytes + ArpHeader.MinimumLengthBytes;

    private readonly int _port;
    private readonly MacAddress _mac;
    private readonly Ipv4Address _address;

    public TaskPort(NodeBridge bridge, int port, MacAddress mac, Ipv4Address address)
    {
        Bridge = bridge;
        _port = port;
        _mac = mac;
        _address = address;
    }

    /// <summary>The bridge that it is plugged into.</summary>
    public NodeBridge Bridge { get; }

    /// <summary>The rules within; null where none are known.</summary>
    public TaskSpace? Space { get; set; }

    /// <inheritdoc/>
    public override DropReason Deliver(FrameBatch batch, int offset, int lengthBytes, int inputIndex, long now)
    {
        Span<byte> frame = batch.Slice(offset, lengthBytes);
        MacAddress destination = MacAddress.Read(frame);
        if (destination != _mac && !destination.IsMulticast)
        {
            // The bridge floods what it does not know; the task's own stack passes over what is another's.
            return DropReason.OtherHost;
        }

        if (BinaryPrimitives.ReadUInt16BigEndian(frame[12..]) == (ushort)EtherType.Arp
            && ArpHeader.TryParse(frame[LinkInput.EthernetHeaderBytes..], out ArpHeader arp))
        {
            return arp.Operation == ArpOperation.Request && arp.TargetAddress == _address
                ? Answer(arp.SenderMac, arp.SenderAddress, batch, inputIndex, now)
                : DropReason.ArpNotForUs;
        }

        if (Space is { } space && TaskSpace.Handles(frame))
        {
            return space.Receive(batch, offset, lengthBytes, inputIndex, now);
        }

        Emit(batch, offset, lengthBytes, inputIndex, now);
        return DropReason.None;
    }

    /// <summary>Takes a frame that the task sends.</summary>
    public Outcome Send(FrameBatch batch, in FrameDescriptor frame, int inputIndex) =>
        Space is { } space && TaskSpace.Handles(batch.Slice(frame.Offset, frame.LengthBytes))
            ? space.Send(batch, frame, inputIndex)
            : Outcome.Of(Bridge.Forward(this, batch, frame.Offset, frame.LengthBytes, inputIndex, frame.TimestampNanoseconds));

    /// <summary>Lets a frame out to the task's program.</summary>
    public void Emit(FrameBatch batch, int offset, int lengthBytes, int inputIndex, long now) =>
        batch.Emit(offset, lengthBytes, now, inputIndex, _port, LinkInput.WireLength(batch.Slice(offset, lengthBytes)));

    private DropReason Answer(MacAddress mac, Ipv4Address address, FrameBatch batch, int inputIndex, long now)
    {
        int offset = batch.RentOutput(ArpFrameBytes);
        Span<byte> frame = batch.Slice(offset, ArpFrameBytes);
        new EthernetFields(mac, _mac, EtherType.Arp).WriteTo(frame);
        new ArpFields(ArpOperation.Reply, _mac, _address, mac, address).WriteTo(frame[LinkInput.EthernetHeaderBytes..]);
        return Bridge.Forward(this, batch, offset, ArpFrameBytes, inputIndex, now);
    }
}
