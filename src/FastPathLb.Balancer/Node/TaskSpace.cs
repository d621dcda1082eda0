using System.Buffers.Binary;
using FastPathLb.Balancer.Netfilter;
using FastPathLb.Balancer.Stack;
using FastPathLb.Conntrack;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Node;

/// <summary>
/// The inside of a task where its namespace has rules: on the ingress network Docker redirects a published port to the target port and
/// lets nothing else in (addRedirectRules). TCP and UDP pass them; the rest is delivered as it comes, for the program's answers to it are
/// captured, not made up. Owned by one worker.
/// </summary>
internal sealed class TaskSpace : ILinkOutput, ILocalPrograms
{
    private const int EthernetBytes = LinkInput.EthernetHeaderBytes;

    private readonly SwarmNode _node;
    private readonly TaskPort _port;
    private readonly NetworkNamespace _space;
    private readonly NetworkInterface _device;
    private readonly Packet _shadow = new();
    private bool _isShadowed;

    /// <summary>Makes a task's inside of a namespace with one device.</summary>
    public TaskSpace(SwarmNode node, TaskPort port, NetworkNamespace space)
    {
        _node = node;
        _port = port;
        _space = space;
        _device = space.Interfaces[0];
        space.Connect(_device, this);
        space.Programs = this;
    }

    /// <summary>Whether a frame passes the rules: TCP and UDP with their ports there.</summary>
    public static bool Handles(ReadOnlySpan<byte> frame)
    {
        if (frame.Length < EthernetBytes + Ipv4.HeaderLengthMinimum
            || BinaryPrimitives.ReadUInt16BigEndian(frame[12..]) != (ushort)EtherType.Ipv4)
        {
            return false;
        }

        ReadOnlySpan<byte> packet = frame[EthernetBytes..];
        int header = (packet[0] & 15) * 4;
        return packet[0] >> 4 == 4 && header >= Ipv4.HeaderLengthMinimum && packet.Length >= header + 4
            && (IpProtocol)packet[Ipv4.ProtocolOffset] is IpProtocol.Tcp or IpProtocol.Udp;
    }

    /// <summary>Takes a frame from the bridge.</summary>
    public DropReason Receive(FrameBatch batch, int offset, int lengthBytes, int inputIndex, long now)
    {
        Span<byte> frame = batch.Slice(offset, lengthBytes);
        _space.Neighbors.Set(
            BinaryPrimitives.ReadUInt32BigEndian(frame[(EthernetBytes + Ipv4.SourceOffset)..]), MacAddress.Read(frame[MacAddress.LengthBytes..]));
        return _node.Backlog.TryAdd(new Backlog.Entry(_space, _device, offset, lengthBytes, inputIndex, now))
            ? DropReason.None
            : DropReason.BacklogFull;
    }

    /// <inheritdoc/>
    public Outcome Deliver(Packet packet)
    {
        // A datagram of fragments was put together where there is no Ethernet header.
        Span<byte> ethernet = packet.Batch.Slice(packet.Start - EthernetBytes, EthernetBytes);
        _device.Mac.WriteTo(ethernet);
        _space.Neighbors.TryGet(packet.Source, out MacAddress sender);
        sender.WriteTo(ethernet[MacAddress.LengthBytes..]);
        BinaryPrimitives.WriteUInt16BigEndian(ethernet[12..], (ushort)EtherType.Ipv4);
        _port.Emit(packet.Batch, packet.Start - EthernetBytes, EthernetBytes + packet.CapturedBytes, packet.InputIndex, packet.Now);
        return Outcome.Forwarded;
    }

    /// <summary>
    /// Takes what the task sends: as its program does, from the target port, or as a capture at its device has it, from the published
    /// port. The latter has passed the rules already: it goes on as it is, and its connection is kept up with.
    /// </summary>
    public Outcome Send(FrameBatch batch, in FrameDescriptor frame, int inputIndex)
    {
        Span<byte> bytes = batch.Slice(frame.Offset, frame.LengthBytes);
        long now = frame.TimestampNanoseconds;
        _shadow.Begin(batch, frame.Offset + EthernetBytes, frame.LengthBytes - EthernetBytes, inputIndex, now);
        if (!_shadow.IsFragment && !IsRedirected(_shadow))
        {
            _space.Neighbors.Set(_shadow.Destination, MacAddress.Read(bytes));
            return _space.Originate(
                batch, frame.Offset + EthernetBytes, frame.LengthBytes - EthernetBytes, frame.WireLengthBytes - EthernetBytes, inputIndex, now);
        }

        FlowKey key = _shadow.IsFragment ? default : FlowKeyReader.Invert(_shadow.PortKey(_space.Number));
        if (!_shadow.IsFragment && _space.Tracker.TryFind(key, now, out int number, out _))
        {
            KeepUp(batch, bytes, _space.Connections[number].Reply, inputIndex, now);
        }

        return Outcome.Of(_port.Bridge.Forward(_port, batch, frame.Offset, frame.LengthBytes, inputIndex, now));
    }

    /// <inheritdoc/>
    public DropReason Transmit(FrameBatch batch, int offset, int lengthBytes, int inputIndex, long now) =>
        _isShadowed ? DropReason.None : _port.Bridge.Forward(_port, batch, offset, lengthBytes, inputIndex, now);

    // The program's own packet, from the port that it listens on; what becomes of it is the frame that was captured.
    private void KeepUp(FrameBatch batch, ReadOnlySpan<byte> frame, FlowKey reply, int inputIndex, long now)
    {
        int copy = batch.RentOutput(frame.Length);
        frame.CopyTo(batch.Slice(copy, frame.Length));
        _shadow.Begin(batch, copy + EthernetBytes, frame.Length - EthernetBytes, inputIndex, now);
        if (TransportRewriter.TryReplaceSource(_shadow, reply.Source, reply.SourcePort, TransportRewriter.ZeroUdpChecksum.Keep))
        {
            _isShadowed = true;
            _space.Originate(batch, copy + EthernetBytes, frame.Length - EthernetBytes, frame.Length - EthernetBytes, inputIndex, now);
            _isShadowed = false;
        }
    }

    private bool IsRedirected(Packet packet)
    {
        foreach (PacketRule rule in _space.Translator.Table[HookPoint.PreRouting].Walked)
        {
            if (rule.Target != RuleTarget.Redirect || rule.Protocol != packet.Protocol)
            {
                continue;
            }

            for (int index = 0; index < rule.DestinationPorts.Count; index++)
            {
                if (rule.DestinationPorts[index].Contains(packet.SourcePort))
                {
                    return true;
                }
            }
        }

        return false;
    }
}
