using System.Buffers.Binary;
using FastPathLb.Balancer.Netfilter;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Stack;

/// <summary>
/// Packets as they leave: OUTPUT for the namespace's own and for those that IPVS sends, then POSTROUTING, fragments, and the next
/// hop's MAC (ip_local_out, ip_output, ip_finish_output).
/// </summary>
internal sealed class Ipv4Output
{
    private readonly NetworkNamespace _space;
    private readonly Packet _own = new();

    public Ipv4Output(NetworkNamespace space) => _space = space;

    /// <summary>Sends a packet of a program of the namespace's own: routes it (ip_queue_xmit), then from the OUTPUT hook on.</summary>
    public Outcome Originate(FrameBatch batch, int offset, int capturedBytes, int wireBytes, int inputIndex, long now)
    {
        DropReason invalid = Ipv4Input.Validate(batch, offset, capturedBytes, wireBytes, PacketCast.Host, out int totalLength);
        if (invalid != DropReason.None)
        {
            return Outcome.Dropped(invalid);
        }

        _own.Begin(batch, offset, Math.Min(capturedBytes, totalLength), inputIndex, now);
        _own.HasPartialChecksum = ChecksumCensus.IsPartial(_own);
        if (_own.IsFragment)
        {
            DropReason fragment = _space.Reassembler.Add(_own);
            if (fragment != DropReason.None)
            {
                return fragment == DropReason.FragmentHeld ? Outcome.Held(fragment) : Outcome.Dropped(fragment);
            }
        }

        if (!TryRouteOwn(_own))
        {
            return Outcome.Dropped(DropReason.NoRoute);
        }

        _own.IsSuperPacket = totalLength > (_own.Output?.MtuBytes ?? int.MaxValue);
        return Outcome.Of(SendLocal(_own));
    }

    /// <summary>Sends a packet that is routed: from the OUTPUT hook on.</summary>
    public DropReason SendLocal(Packet packet)
    {
        Ipv4Options.Finish(packet);
        _space.Tracker.Track(packet);
        if (!_space.Mangle.TryPass(HookPoint.LocalOut, packet, _space, out _))
        {
            return DropReason.FilterRule;
        }

        uint destination = packet.Destination;
        DropReason dropped = _space.Translator.Translate(packet, HookPoint.LocalOut);
        if (dropped != DropReason.None)
        {
            return dropped;
        }

        // To where it goes now (ip_route_me_harder).
        if (packet.Destination != destination && !TryRouteOwn(packet))
        {
            return DropReason.NoRoute;
        }

        if (_space.Ipvs.IsActive && !packet.IsBalanced && packet.Protocol == IpProtocol.Icmp
            && _space.Ipvs.Input.ProcessOwnIcmp(packet) is { } handled)
        {
            return handled;
        }

        if (!_space.Filter.TryPass(HookPoint.LocalOut, packet, _space, out _))
        {
            return DropReason.FilterRule;
        }

        // To an address of the namespace's own: its stack would receive it, and has nothing to do with an error.
        return packet.Output is null ? DropReason.LocalDeliveredToStack : PostRoute(packet);
    }

    /// <summary>POSTROUTING and what follows.</summary>
    public DropReason PostRoute(Packet packet)
    {
        if (!_space.Mangle.TryPass(HookPoint.PostRouting, packet, _space, out _))
        {
            return DropReason.FilterRule;
        }

        DropReason dropped = _space.Translator.Translate(packet, HookPoint.PostRouting);
        if (dropped == DropReason.None)
        {
            dropped = _space.Tracker.Confirm(packet);
        }

        return dropped != DropReason.None ? dropped : Finish(packet);
    }

    /// <summary>Routes a packet of the namespace's own by its destination.</summary>
    public bool TryRoute(Packet packet)
    {
        Route? route = _space.FindRoute(packet.Destination);
        if (route is null)
        {
            return false;
        }

        packet.Output = route.Interface;
        packet.NextHop = route.Via != 0 ? route.Via : packet.Destination;
        return true;
    }

    // To an address of the namespace's own it leaves by no interface.
    private bool TryRouteOwn(Packet packet)
    {
        packet.Output = null;
        return _space.IsLocalAddress(packet.Destination) || TryRoute(packet);
    }

    private DropReason Finish(Packet packet)
    {
        NetworkInterface output = packet.Output!;

        // IPVS's packets came in as well, but count as the namespace's own (IPSKB_FORWARDED).
        bool isForwarded = packet.Input is not null && !packet.IgnoresDontFragment;
        int mtu = isForwarded
            ? _space.PathMtus.OfForwarded(packet.Destination, output, packet.Now)
            : _space.PathMtus.Of(packet.Destination, output, packet.Now);
        if ((packet.LengthBytes <= mtu && packet.LargestFragmentBytes == 0) || packet.IsSuperPacket)
        {
            return Transmit(packet, packet.Start, packet.CapturedBytes);
        }

        if (packet.IsDontFragment && (!packet.IgnoresDontFragment || packet.LargestFragmentBytes > mtu))
        {
            _space.IcmpErrors.Send(packet, IcmpType.DestinationUnreachable, Icmp.FragmentationNeeded, (uint)mtu);
            return DropReason.FragmentationNeeded;
        }

        return SendFragments(packet, packet.LargestFragmentBytes > 0 ? Math.Min(mtu, packet.LargestFragmentBytes) : mtu);
    }

    /// <summary>
    /// Cuts a packet to the MTU (ip_do_fragment). One that was reassembled is cut where it was cut before, as far as that fits.
    /// </summary>
    private DropReason SendFragments(Packet packet, int mtuBytes)
    {
        int header = packet.HeaderLengthBytes;
        int payload = Math.Min(packet.LengthBytes, packet.CapturedBytes) - header;
        int room = mtuBytes - header;
        if (room < 8)
        {
            return DropReason.FrameTooLargeForDevice;
        }

        bool keepsCuts = packet.FragmentCount > 0 && FitsCuts(packet, room);
        int part = 0;
        for (int position = 0; position < payload;)
        {
            int end = keepsCuts ? packet.FragmentEnds[part++] : Math.Min(position + (room & ~7), payload);
            if (!keepsCuts && payload - position <= room)
            {
                end = payload;
            }

            DropReason dropped = SendFragment(packet, header, position, end, isLast: end >= payload);
            if (dropped != DropReason.None)
            {
                return dropped;
            }

            position = end;
        }

        return DropReason.None;
    }

    private static bool FitsCuts(Packet packet, int room)
    {
        int start = 0;
        for (int index = 0; index < packet.FragmentCount; index++)
        {
            int length = packet.FragmentEnds[index] - start;
            if (length > room || ((length & 7) != 0 && index + 1 < packet.FragmentCount))
            {
                return false;
            }

            start = packet.FragmentEnds[index];
        }

        return true;
    }

    private DropReason SendFragment(Packet packet, int header, int start, int end, bool isLast)
    {
        int length = end - start;
        int offset = packet.Batch.RentOutput(LinkInput.EthernetHeaderBytes + header + length) + LinkInput.EthernetHeaderBytes;
        Span<byte> fragment = packet.Batch.Slice(offset, header + length);
        packet.Bytes[..header].CopyTo(fragment);
        if (start > 0)
        {
            Ipv4Options.KeepCopied(fragment[Ipv4.HeaderLengthMinimum..header]);
        }

        packet.Bytes.Slice(header + start, length).CopyTo(fragment[header..]);
        BinaryPrimitives.WriteUInt16BigEndian(fragment[Ipv4.TotalLengthOffset..], (ushort)(header + length));
        int flags = BinaryPrimitives.ReadUInt16BigEndian(packet.Bytes[Ipv4.FragmentOffset..]) & Ipv4.DontFragment;
        BinaryPrimitives.WriteUInt16BigEndian(
            fragment[Ipv4.FragmentOffset..], (ushort)(flags | (isLast ? 0 : Ipv4.MoreFragments) | (start >> 3)));
        Ipv4.WriteChecksum(fragment);
        return Transmit(packet, offset, header + length);
    }

    /// <summary>Puts the Ethernet header in front and hands the frame to the link.</summary>
    internal DropReason Transmit(Packet packet, int offset, int lengthBytes)
    {
        NetworkInterface output = packet.Output!;
        if (!_space.Neighbors.TryGet(packet.NextHop, out MacAddress mac))
        {
            return _space.Resolver.Hold(packet, offset, lengthBytes);
        }

        int frameOffset = offset - LinkInput.EthernetHeaderBytes;
        Span<byte> ethernet = packet.Batch.Slice(frameOffset, LinkInput.EthernetHeaderBytes);
        mac.WriteTo(ethernet);
        output.Mac.WriteTo(ethernet[6..]);
        BinaryPrimitives.WriteUInt16BigEndian(ethernet[12..], (ushort)EtherType.Ipv4);
        return _space.LinkOf(output).Transmit(
            packet.Batch, frameOffset, LinkInput.EthernetHeaderBytes + lengthBytes, packet.InputIndex, packet.Now);
    }
}
