using System.Buffers.Binary;
using FastPathLb.Balancer.Netfilter;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Stack;

/// <summary>IPv4 packets as they come in: validation (ip_rcv_core), PREROUTING, and the choice of way (ip_route_input).</summary>
internal sealed class Ipv4Input
{
    private readonly NetworkNamespace _space;

    public Ipv4Input(NetworkNamespace space) => _space = space;

    public Outcome Receive(
        Packet packet, NetworkInterface device, PacketCast cast, FrameBatch batch, int offset, int capturedBytes, int wireBytes,
        int inputIndex, long now)
    {
        DropReason invalid = Validate(batch, offset, capturedBytes, wireBytes, cast, out int totalLength);
        if (invalid != DropReason.None)
        {
            packet.BalancedBy = -1;
            packet.Connection = -1;
            return Outcome.Dropped(invalid);
        }

        // What lies behind the packet is the link's padding.
        packet.Begin(batch, offset, Math.Min(capturedBytes, totalLength), inputIndex, now);
        packet.Input = device;
        packet.Cast = cast;
        packet.IsSuperPacket = totalLength > device.MtuBytes;
        packet.HasPartialChecksum = ChecksumCensus.IsPartial(packet);
        if (packet.HasPartialChecksum)
        {
            _space.PartialChecksumPackets++;
        }

        if (packet.IsSuperPacket)
        {
            _space.SuperPackets++;
        }

        return Enter(packet);
    }

    /// <summary>From PREROUTING on, with a whole datagram or a fragment.</summary>
    private Outcome Enter(Packet packet)
    {
        if (packet.IsFragment)
        {
            DropReason fragment = _space.Reassembler.Add(packet);
            if (fragment != DropReason.None)
            {
                return fragment == DropReason.FragmentHeld ? Outcome.Held(fragment) : Outcome.Dropped(fragment);
            }
        }

        if (!_space.Tracker.Track(packet))
        {
            _space.PartialChecksumPackets -= packet.HasPartialChecksum ? 1 : 0;
            _space.SuperPackets -= packet.IsSuperPacket ? 1 : 0;
            return Outcome.Dropped(DropReason.OtherWorker);
        }

        if (!_space.Mangle.TryPass(HookPoint.PreRouting, packet, _space, out _))
        {
            return Outcome.Dropped(DropReason.FilterRule);
        }

        DropReason dropped = _space.Translator.Translate(packet, HookPoint.PreRouting);
        if (dropped != DropReason.None)
        {
            return Outcome.Dropped(dropped);
        }

        Outcome outcome = Route(packet);
        if (packet.ForgetsConnection && packet.Connection >= 0)
        {
            _space.Tracker.Forget(packet.Connection, packet.Now);
        }

        return outcome;
    }

    private Outcome Route(Packet packet)
    {
        uint destination = packet.Destination;
        if (_space.IsMartianSource(packet.Source, destination))
        {
            return Outcome.Dropped(DropReason.MartianSource);
        }

        if (destination == 0 || (destination >> 24 == 127 && !packet.Input!.RoutesLoopback))
        {
            return Outcome.Dropped(DropReason.MartianDestination);
        }

        packet.IsRoutedToUs = _space.IsLocalAddress(destination);
        if (packet.HeaderLengthBytes > Ipv4.HeaderLengthMinimum)
        {
            int problem = Ipv4Options.Compile(packet, _space, packet.IsRoutedToUs);
            if (problem != Ipv4Options.None)
            {
                return Outcome.Answered(
                    DropReason.Ipv4OptionsInvalid, _space.IcmpErrors.Send(packet, IcmpType.ParameterProblem, 0, (uint)problem << 24));
            }

            if (packet.Options.HasSourceRoute)
            {
                return Outcome.Dropped(DropReason.Ipv4OptionsInvalid);
            }
        }

        if (destination >> 28 == 0xE)
        {
            return Outcome.Dropped(DropReason.MulticastUnserved);
        }

        if (packet.IsRoutedToUs)
        {
            return _space.LocalInput.Receive(packet);
        }

        if (_space.IsBroadcastAddress(destination))
        {
            packet.Cast = PacketCast.Broadcast;
            return _space.LocalInput.Receive(packet);
        }

        if (!_space.ForwardsPackets)
        {
            return Outcome.Dropped(DropReason.ForwardingDisabled);
        }

        Route? route = _space.FindRoute(destination);
        if (route is null)
        {
            return Outcome.Answered(
                DropReason.NoRoute, _space.IcmpErrors.Send(packet, IcmpType.DestinationUnreachable, Icmp.NetworkUnreachable, 0));
        }

        packet.Output = route.Interface;
        packet.NextHop = route.Via != 0 ? route.Via : destination;
        return _space.Forward.Receive(packet);
    }

    internal static DropReason Validate(
        FrameBatch batch, int offset, int capturedBytes, int wireBytes, PacketCast cast, out int totalLength)
    {
        totalLength = 0;
        if (cast == PacketCast.OtherHost)
        {
            return DropReason.OtherHost;
        }

        if (capturedBytes < Ipv4.HeaderLengthMinimum)
        {
            return wireBytes < Ipv4.HeaderLengthMinimum ? DropReason.Ipv4Malformed : DropReason.FrameTruncatedByCapture;
        }

        Span<byte> header = batch.Slice(offset, capturedBytes);
        int headerLength = (header[0] & 15) * 4;
        if (header[0] >> 4 != 4 || headerLength < Ipv4.HeaderLengthMinimum)
        {
            return DropReason.Ipv4Malformed;
        }

        if (headerLength > capturedBytes)
        {
            return headerLength > wireBytes ? DropReason.Ipv4Malformed : DropReason.FrameTruncatedByCapture;
        }

        if (InternetChecksum.Compute(header[..headerLength]) != 0)
        {
            return DropReason.Ipv4ChecksumWrong;
        }

        totalLength = BinaryPrimitives.ReadUInt16BigEndian(header[Ipv4.TotalLengthOffset..]);
        if (wireBytes < totalLength)
        {
            return DropReason.Ipv4Truncated;
        }

        if (totalLength < headerLength)
        {
            return DropReason.Ipv4Malformed;
        }

        return DropReason.None;
    }
}
