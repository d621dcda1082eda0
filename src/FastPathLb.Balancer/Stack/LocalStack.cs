using System.Buffers.Binary;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Stack;

/// <summary>
/// What a namespace without listening sockets says to packets for itself: echo replies, RST, port and protocol unreachable
/// (icmp.c, tcp_ipv4.c, udp.c, ip_protocol_deliver_rcu).
/// </summary>
internal sealed class LocalStack
{
    private const int TcpHeaderBytes = 20;
    private const int UdpHeaderBytes = 8;
    private const int TimestampBytes = 20;

    private readonly NetworkNamespace _space;
    private readonly Packet _reply = new();

    public LocalStack(NetworkNamespace space) => _space = space;

    public Outcome Receive(Packet packet) => packet.Protocol switch
    {
        IpProtocol.Icmp => ReceiveIcmp(packet),
        IpProtocol.Tcp or IpProtocol.Udp when _space.Programs is { } programs => programs.Deliver(packet),
        _ when _space.HasUnknownListeners => Outcome.Consumed(DropReason.LocalDeliveredToStack),
        IpProtocol.Tcp => ReceiveTcp(packet),
        IpProtocol.Udp => ReceiveUdp(packet),
        IpProtocol.Igmp => Outcome.Consumed(DropReason.LocalDeliveredToStack),
        _ => Outcome.Answered(
            DropReason.LocalProtocolUnserved,
            _space.IcmpErrors.Send(packet, IcmpType.DestinationUnreachable, Icmp.ProtocolUnreachable, 0)),
    };

    private Outcome ReceiveIcmp(Packet packet)
    {
        Span<byte> message = packet.Transport;
        if (message.Length < Icmp.HeaderBytes || packet.TransportLengthBytes < Icmp.HeaderBytes)
        {
            return Outcome.Dropped(DropReason.LocalTransportMalformed);
        }

        if (!packet.Input!.TrustsChecksums && packet.CapturedBytes >= packet.LengthBytes
            && InternetChecksum.Compute(message[..packet.TransportLengthBytes]) != 0)
        {
            return Outcome.Dropped(DropReason.LocalChecksumWrong);
        }

        if ((IcmpType)message[0] == IcmpType.DestinationUnreachable && message[1] == Icmp.FragmentationNeeded)
        {
            return LearnPathMtu(packet, message);
        }

        if ((IcmpType)message[0] is not (IcmpType.Echo or IcmpType.Timestamp))
        {
            return Outcome.Consumed(DropReason.LocalIcmpUnserved);
        }

        if (packet.Cast != PacketCast.Host || _space.IsBroadcastAddress(packet.Destination))
        {
            return Outcome.Dropped(DropReason.LocalIcmpUnserved);
        }

        if ((IcmpType)message[0] == IcmpType.Echo)
        {
            return Reply(packet, message, IcmpType.EchoReply);
        }

        // The kernel needs the first of the three times alone.
        const int OriginateEnd = 12;
        return message.Length < OriginateEnd || packet.TransportLengthBytes < OriginateEnd
            ? Outcome.Dropped(DropReason.LocalTransportMalformed)
            : Reply(packet, message[..OriginateEnd], IcmpType.TimestampReply);
    }

    /// <summary>Somebody on the way says that an echo reply of ours was too long (icmp_unreach, icmp_err).</summary>
    private Outcome LearnPathMtu(Packet packet, ReadOnlySpan<byte> message)
    {
        ReadOnlySpan<byte> quoted = message[Icmp.HeaderBytes..];
        int header = quoted.IsEmpty ? 0 : (quoted[0] & 15) * 4;
        if (header < Ipv4.HeaderLengthMinimum || quoted.Length < header + Icmp.HeaderBytes
            || quoted[Ipv4.ProtocolOffset] != (byte)IpProtocol.Icmp || quoted[header] != (byte)IcmpType.EchoReply)
        {
            return Outcome.Consumed(DropReason.LocalIcmpUnserved);
        }

        _space.PathMtus.Learn(
            BinaryPrimitives.ReadUInt32BigEndian(quoted[Ipv4.DestinationOffset..]), BinaryPrimitives.ReadUInt16BigEndian(message[6..]), packet.Now);
        return Outcome.Consumed(DropReason.LocalDeliveredToStack);
    }

    /// <summary>Sends a request back as its reply (icmp_echo, icmp_timestamp).</summary>
    private Outcome Reply(Packet packet, ReadOnlySpan<byte> message, IcmpType type)
    {
        int header = Ipv4.HeaderLengthMinimum + Ipv4Options.EchoedLength(packet);
        if (header < Ipv4.HeaderLengthMinimum)
        {
            return Outcome.Dropped(DropReason.Ipv4OptionsInvalid);
        }

        int length = header + (type == IcmpType.TimestampReply ? TimestampBytes : message.Length);
        Span<byte> bytes = Rent(packet, length, out int offset);
        ushort identification = _space.NextIdentification(packet.Destination, packet.Source, IpProtocol.Icmp, (byte)type);
        IcmpErrors.WriteHeader(
            bytes, packet.TypeOfService, (ushort)length, identification, IpProtocol.Icmp, packet.Destination, packet.Source);
        Ipv4Options.Echo(packet, _space, bytes, packet.Now);
        Span<byte> reply = bytes[header..];
        message.CopyTo(reply);
        reply[0] = (byte)type;
        if (type == IcmpType.TimestampReply)
        {
            // When it was received, and when it is sent.
            Ipv4Options.WriteTime(reply[12..], packet.Now);
            Ipv4Options.WriteTime(reply[16..], packet.Now);
        }

        reply[Icmp.ChecksumOffset] = 0;
        reply[Icmp.ChecksumOffset + 1] = 0;
        BinaryPrimitives.WriteUInt16BigEndian(reply[Icmp.ChecksumOffset..], InternetChecksum.Compute(reply));
        return Send(packet, offset, length, DropReason.None);
    }

    /// <summary>No socket listens: RST, as RFC 9293 section 3.10.7.1 has it.</summary>
    private Outcome ReceiveTcp(Packet packet)
    {
        Span<byte> segment = packet.Transport;
        if (packet.Cast != PacketCast.Host || segment.Length < TcpHeaderBytes || packet.TransportLengthBytes < TcpHeaderBytes)
        {
            return Outcome.Dropped(DropReason.LocalTransportMalformed);
        }

        int headerLength = (segment[12] >> 4) * 4;
        if (headerLength < TcpHeaderBytes || headerLength > packet.TransportLengthBytes)
        {
            return Outcome.Dropped(DropReason.LocalTransportMalformed);
        }

        TcpFlags flags = (TcpFlags)segment[13];
        if ((flags & TcpFlags.Rst) != 0)
        {
            return Outcome.Consumed(DropReason.LocalNoListener);
        }

        int header = Ipv4.HeaderLengthMinimum + Ipv4Options.EchoedLength(packet);
        if (header < Ipv4.HeaderLengthMinimum)
        {
            return Outcome.Dropped(DropReason.Ipv4OptionsInvalid);
        }

        int length = header + TcpHeaderBytes;
        Span<byte> bytes = Rent(packet, length, out int offset);
        IcmpErrors.WriteHeader(bytes, packet.TypeOfService, (ushort)length, 0, IpProtocol.Tcp, packet.Destination, packet.Source);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[Ipv4.FragmentOffset..], Ipv4.DontFragment);
        Ipv4.WriteChecksum(bytes);
        Ipv4Options.Echo(packet, _space, bytes, packet.Now);

        Span<byte> reset = bytes[header..];
        reset.Clear();
        segment.Slice(2, 2).CopyTo(reset);
        segment[..2].CopyTo(reset[2..]);
        TcpFlags answer = TcpFlags.Rst;
        if ((flags & TcpFlags.Ack) != 0)
        {
            segment.Slice(8, 4).CopyTo(reset[4..]);
        }
        else
        {
            answer |= TcpFlags.Ack;
            uint sequence = BinaryPrimitives.ReadUInt32BigEndian(segment[4..]);
            uint occupied = (uint)(packet.TransportLengthBytes - headerLength)
                + ((flags & TcpFlags.Syn) != 0 ? 1u : 0u) + ((flags & TcpFlags.Fin) != 0 ? 1u : 0u);
            BinaryPrimitives.WriteUInt32BigEndian(reset[8..], unchecked(sequence + occupied));
        }

        reset[12] = TcpHeaderBytes / 4 << 4;
        reset[13] = (byte)answer;
        uint sum = InternetChecksum.PseudoHeaderSum(
            new Ipv4Address(packet.Destination), new Ipv4Address(packet.Source), IpProtocol.Tcp, TcpHeaderBytes);
        BinaryPrimitives.WriteUInt16BigEndian(reset[16..], InternetChecksum.Finish(InternetChecksum.Sum(reset, sum)));
        return Send(packet, offset, length, DropReason.LocalNoListener);
    }

    private Outcome ReceiveUdp(Packet packet)
    {
        Span<byte> datagram = packet.Transport;
        if (datagram.Length < UdpHeaderBytes || packet.TransportLengthBytes < UdpHeaderBytes)
        {
            return Outcome.Dropped(DropReason.LocalTransportMalformed);
        }

        int length = BinaryPrimitives.ReadUInt16BigEndian(datagram[4..]);
        if (length < UdpHeaderBytes || length > packet.TransportLengthBytes)
        {
            return Outcome.Dropped(DropReason.LocalTransportMalformed);
        }

        if (packet.Cast != PacketCast.Host)
        {
            return Outcome.Dropped(DropReason.LocalNoListener);
        }

        return Outcome.Answered(
            DropReason.LocalNoListener,
            _space.IcmpErrors.Send(packet, IcmpType.DestinationUnreachable, Icmp.PortUnreachable, 0));
    }

    private static Span<byte> Rent(Packet packet, int length, out int offset)
    {
        offset = packet.Batch.RentOutput(LinkInput.EthernetHeaderBytes + length) + LinkInput.EthernetHeaderBytes;
        return packet.Batch.Slice(offset, length);
    }

    private Outcome Send(Packet packet, int offset, int length, DropReason reason)
    {
        _reply.Begin(packet.Batch, offset, length, packet.InputIndex, packet.Now);
        if (!_space.Output.TryRoute(_reply))
        {
            return Outcome.Dropped(DropReason.NoRoute);
        }

        DropReason dropped = _space.Output.SendLocal(_reply);
        return dropped == DropReason.None ? Outcome.Answered(reason) : Outcome.Dropped(dropped);
    }
}
