using System.Runtime.CompilerServices;
using FastPathLb.Balancer.Netfilter;
using FastPathLb.Balancer.Stack;
using FastPathLb.Conntrack;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Ipvs;

/// <summary>
/// Packets from clients (ip_vs_in_hook in ip_vs_core.c, ip_vs_nat_xmit in ip_vs_xmit.c): connection found or scheduled, state
/// stepped, packet translated and sent.
/// </summary>
internal sealed class IpvsInput
{
    private readonly NetworkNamespace _space;
    private readonly IpvsCore _ipvs;
    private readonly ConnectionTable _table;
    private readonly IpvsTunnel _tunnel;
    private readonly IpvsScheduling _scheduling;

    public IpvsInput(NetworkNamespace space, IpvsCore ipvs, ConnectionTable table)
    {
        _space = space;
        _ipvs = ipvs;
        _table = table;
        _tunnel = new IpvsTunnel(space);
        _scheduling = new IpvsScheduling(space, ipvs, table);
    }

    /// <summary>Handles a packet at LOCAL_IN.</summary>
    /// <returns>What became of it, or null where it goes on to the namespace's own stack.</returns>
    public Outcome? Process(Packet packet)
    {
        if (packet.IsBalanced || packet.Cast != PacketCast.Host)
        {
            return null;
        }

        if (packet.Protocol == IpProtocol.Icmp)
        {
            return ProcessIcmp(packet, HookPoint.LocalIn);
        }

        if (packet.Protocol is not (IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp))
        {
            return null;
        }

        int number = -1;
        if (packet.HasPorts && _ipvs.Connections.TryFindIn(packet.PortKey(_space.Number), packet.Now, out number)
            && Revise(packet, ref number) is { } revised)
        {
            return revised;
        }

        if (number < 0 && _scheduling.Schedule(packet, out number) is { } unscheduled)
        {
            return unscheduled;
        }

        if (number < 0)
        {
            return null;
        }

        return Deliver(packet, number);
    }

    /// <summary>ICMP errors on their way through (ip_vs_forward_icmp).</summary>
    public Outcome? ProcessForwardedIcmp(Packet packet) =>
        packet.Protocol == IpProtocol.Icmp ? ProcessIcmp(packet, HookPoint.Forward) : null;

    /// <summary>The namespace's own ICMP errors at OUTPUT: one about a balanced packet goes to the packet's server.</summary>
    /// <returns>How its sending ended, or null where it is not about a balanced packet.</returns>
    public DropReason? ProcessOwnIcmp(Packet packet) =>
        ProcessIcmp(packet, HookPoint.LocalOut) is { } outcome ? outcome.Reason : null;

    /// <summary>Whether a found connection serves this packet: a SYN may end it, a removed server does.</summary>
    private Outcome? Revise(Packet packet, ref int number)
    {
        ref Connection connection = ref _table[number];
        RealServer server = _ipvs.Servers[connection.Server];
        if (IsOpening(packet))
        {
            bool isRescheduled = false;
            bool usesOldConntrack = false;
            if (_ipvs.Settings.ExpiresConnectionsWithoutServer && server.Weight == 0)
            {
                isRescheduled = true;
                usesOldConntrack = UsesOldConntrack(packet, connection);
            }
            else if (_ipvs.Settings.ConnectionReuseMode != 0 && IsReuseExpected(packet, connection))
            {
                isRescheduled = true;
                usesOldConntrack = UsesOldConntrack(packet, connection);
            }

            if (isRescheduled)
            {
                return EndForNew(packet, ref number, usesOldConntrack, DropReason.IpvsReschedule);
            }
        }

        if (server.IsAvailable)
        {
            return null;
        }

        return _ipvs.Settings.ExpiresConnectionsWithoutServer
            ? EndForNew(packet, ref number, UsesOldConntrack(packet, connection), DropReason.IpvsServerGone)
            : Outcome.Dropped(DropReason.IpvsServerGone);
    }

    private Outcome? EndForNew(Packet packet, ref int number, bool usesOldConntrack, DropReason reason)
    {
        ref Connection connection = ref _table[number];
        if (!usesOldConntrack)
        {
            // The packet's conntrack entry is a new one: it must survive the old connection.
            connection.Flags &= ~ConnectionFlags.OwnsConntrack;
        }

        packet.BalancedBy = number;
        if (packet.Connection == number)
        {
            packet.ForgetsConnection = false;
            if (usesOldConntrack)
            {
                packet.ClearTracking();
            }
        }

        _ipvs.Connections.ExpireConnection(number, packet.Now, isImmediate: false);
        number = -1;
        return usesOldConntrack ? Outcome.Dropped(reason) : null;
    }

    /// <summary>ip_vs_conn_uses_old_conntrack.</summary>
    private static bool UsesOldConntrack(Packet packet, in Connection connection) =>
        (connection.Flags & ConnectionFlags.OwnsConntrack) != 0 && packet.Track != TrackInfo.Untracked && !packet.IsPending;

    private static bool IsOpening(Packet packet) =>
        packet.Protocol == IpProtocol.Tcp && packet.Transport.Length >= TcpSegment.MinimumHeaderBytes
        && ((TcpFlags)packet.Transport[13] & TcpFlags.Syn) != 0;

    private bool IsReuseExpected(Packet packet, in Connection connection) =>
        connection.Control == 0 && packet.Protocol == IpProtocol.Tcp
        && (connection.IpvsState is IpvsTcpState.TimeWait or IpvsTcpState.Close
            || ((_ipvs.Settings.ConnectionReuseMode & 2) != 0 && connection.IpvsState == IpvsTcpState.FinWait
                && (connection.Flags & ConnectionFlags.NoOutput) != 0));

    /// <summary>
    /// Opens the connection of a first packet for which rules, service and way are known (<see cref="FastPath.OpeningPath"/>): what
    /// <see cref="Process"/> does with it and what comes after that, but for the packet's bytes and counters.
    /// </summary>
    /// <param name="connection">Its record, found by its original key, conntrack's entry begun in it.</param>
    /// <param name="number">The record's number.</param>
    /// <param name="server">The server that was picked; packets are masqueraded to it.</param>
    /// <param name="sourceRule">The rule of the nat table that translates the source, or null.</param>
    /// <param name="device">The interface that the packet came in by, and leaves by.</param>
    /// <param name="isDatagram">Whether it is UDP, or else TCP with SYN and without ACK, FIN and RST.</param>
    /// <param name="now">Time, nanoseconds since the Unix epoch.</param>
    /// <returns>Why the packet goes no further, or none.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal DropReason OpenAsNoted(
        ref Connection connection, int number, RealServer server, PacketRule? sourceRule, NetworkInterface device, bool isDatagram, long now)
    {
        _ipvs.Connections.Begin(ref connection, number, server, isOnePacket: false, now);
        IpvsScheduling.CountOpened(server);
        long timeout = isDatagram
            ? IpvsState.StepUdp(_ipvs, connection, isReply: false)
            : IpvsState.StepTcp(_ipvs, ref connection, server, TcpFlags.Syn, isReply: false);
        FlowKey reply = ReplyFrom(server, FlowKeyReader.Invert(connection.Original), connection);
        connection.Reply = reply;
        _space.Translator.BindEntry(ref connection, reply, isSource: true, sourceRule, device, device, now, out ReplyVacancy vacancy);
        DropReason dropped = _space.Tracker.Confirm(ref connection, number, vacancy, now, out bool isOvertaken);
        if (isOvertaken)
        {
            dropped = BindAgain(ref connection, number, reply, sourceRule, device, now);
        }

        Settle(ref connection, number, now, timeout);
        return dropped;
    }

    /// <summary>
    /// Another worker was faster by a moment, with a client's of the same port to the same server: now that the key is seen to be taken,
    /// another port is searched. The kernel drops such a packet (insert_failed); its sender comes again a second later.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private DropReason BindAgain(
        ref Connection connection, int number, FlowKey reply, PacketRule? sourceRule, NetworkInterface device, long now)
    {
        const int AttemptsMax = 8;
        DropReason dropped = DropReason.ConntrackClash;
        bool isOvertaken = true;
        for (int attempt = 0; isOvertaken && attempt < AttemptsMax; attempt++)
        {
            connection.Reply = reply;
            _space.Translator.BindEntry(ref connection, reply, isSource: true, sourceRule, device, device, now, out ReplyVacancy vacancy);
            dropped = _space.Tracker.Confirm(ref connection, number, vacancy, now, out isOvertaken);
        }

        if (isOvertaken)
        {
            ConnectionTracker.ClearEntry(ref connection);
        }

        return dropped;
    }

    private Outcome? Deliver(Packet packet, int number)
    {
        ref Connection connection = ref _table[number];
        RealServer server = _ipvs.Servers[connection.Server];
        packet.BalancedBy = number;
        IpvsOutput.CountIn(server, packet.LengthBytes);
        long timeout = IpvsState.Step(_ipvs, ref connection, server, packet, isReply: false);
        Outcome? outcome = Transmit(packet, number, server);
        if (connection.IsBalanced)
        {
            Settle(ref connection, number, packet.Now, timeout);
        }

        return outcome;
    }

    /// <summary>After a client's packet left: it counts, and the connection's time begins anew.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Settle(ref Connection connection, int number, long now, long timeout)
    {
        if (!connection.IsTracked && (connection.Flags & ConnectionFlags.IndexedReply) == 0)
        {
            // Conntrack has no binding that would find replies.
            _ipvs.Connections.IndexReplyOf(number);
        }

        if (connection.InPackets < ushort.MaxValue)
        {
            connection.InPackets++;
        }

        if ((connection.Flags & ConnectionFlags.OnePacket) != 0)
        {
            _ipvs.Connections.ExpireConnection(number, now, isImmediate: false);
        }
        else
        {
            _ipvs.Connections.Restart(ref connection, number, now + timeout);
        }
    }

    /// <summary>ip_vs_nat_xmit, ip_vs_dr_xmit, ip_vs_tunnel_xmit.</summary>
    private Outcome? Transmit(Packet packet, int number, RealServer server)
    {
        DropReason refused = Approve(packet, server, isIcmp: false, out bool isLocal, out bool isTold);
        if (refused != DropReason.None)
        {
            return Outcome.Answered(refused, isTold);
        }

        ref Connection connection = ref _table[number];
        if (server.Method == ForwardingMethod.Masquerade)
        {
            ushort port = server.PortFor(connection.Original.DestinationPort);
            if (!TransportRewriter.TryReplaceDestination(
                packet, server.Address, port, TransportRewriter.ZeroUdpChecksum.Compute))
            {
                return Outcome.Dropped(DropReason.IpvsNatFailed);
            }
        }

        return Send(packet, connection, server, isLocal);
    }

    private Outcome? Send(Packet packet, in Connection connection, RealServer server, bool isLocal)
    {
        packet.IsBalanced = true;
        if (server.Method == ForwardingMethod.Tunnel && !isLocal)
        {
            bool ownsConntrack = (connection.Flags & ConnectionFlags.OwnsConntrack) != 0;
            return Outcome.Of(_tunnel.Send(packet, server, _space.FindRoute(server.Address)!.SourceAddress, ownsConntrack));
        }

        packet.IgnoresDontFragment = true;
        AdjustConntrack(packet, connection, server);
        return isLocal ? null : Outcome.Of(_space.Output.SendLocal(packet));
    }

    /// <summary>The way to the server, TTL and MTU (__ip_vs_get_out_rt).</summary>
    private DropReason Approve(Packet packet, RealServer server, bool isIcmp, out bool isLocal, out bool isTold)
    {
        isTold = false;
        isLocal = _space.IsLocalAddress(server.Address);
        if (isLocal)
        {
            return DropReason.None;
        }

        Route? route = _space.FindRoute(server.Address);
        if (route is null)
        {
            isTold = _space.IcmpErrors.Send(packet, IcmpType.DestinationUnreachable, Icmp.HostUnreachable, 0);
            return DropReason.NoRoute;
        }

        if (packet.TimeToLive <= 1)
        {
            isTold = _space.IcmpErrors.Send(packet, IcmpType.TimeExceeded, Icmp.TimeToLiveExceeded, 0);
            return DropReason.TimeToLiveExceeded;
        }

        Ipv4.DecrementTimeToLive(packet.Bytes);
        bool isTunnel = server.Method == ForwardingMethod.Tunnel;
        int mtu = _space.PathMtus.Of(server.Address, route.Interface, packet.Now) - (isTunnel ? IpvsTunnel.HeaderBytes : 0);
        if (packet.IsDontFragment && (!isTunnel || _ipvs.Settings.DiscoversPathMtu) && packet.LengthBytes > mtu && !packet.IsSuperPacket && !isIcmp)
        {
            isTold = _space.IcmpErrors.Send(
                packet, IcmpType.DestinationUnreachable, Icmp.FragmentationNeeded, (uint)mtu);
            return DropReason.FragmentationNeeded;
        }

        packet.Output = route.Interface;
        packet.NextHop = route.Via != 0 ? route.Via : server.Address;
        return DropReason.None;
    }

    /// <summary>
    /// Tells conntrack of the server, so that its replies belong to the connection (ip_vs_update_conntrack), or takes the packet
    /// out of conntrack where IPVS does not use it (ip_vs_notrack).
    /// </summary>
    private static void AdjustConntrack(Packet packet, in Connection connection, RealServer server)
    {
        if ((connection.Flags & ConnectionFlags.OwnsConntrack) == 0)
        {
            if (!packet.IsPending || packet.Track != TrackInfo.Untracked)
            {
                packet.ClearTracking();
            }

            return;
        }

        if (packet.IsPending && server.Method == ForwardingMethod.Masquerade
            && (connection.Flags & ConnectionFlags.OnePacket) == 0 && packet.Direction == FlowDirection.Original)
        {
            packet.Pending.Reply = ReplyFrom(server, packet.Pending.Reply, connection);
        }
    }

    /// <summary>A reply that comes from the connection's server.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static FlowKey ReplyFrom(RealServer server, FlowKey reply, in Connection connection)
    {
        reply.Source = server.Address;
        reply.SourcePort = server.PortFor(connection.Original.DestinationPort);
        return reply;
    }

    /// <summary>ICMP errors from the client's side about replies (ip_vs_in_icmp, ip_vs_icmp_xmit).</summary>
    private Outcome? ProcessIcmp(Packet packet, HookPoint hook)
    {
        Span<byte> message = packet.Transport;
        if (message.Length < Icmp.HeaderBytes)
        {
            return Outcome.Dropped(DropReason.IpvsIcmpTruncated);
        }

        if (!Icmp.IsBalancedError((IcmpType)message[0])
            || !FlowKeyReader.TryRead(message[Icmp.HeaderBytes..], _space.Number, out FlowKey embedded)
            || embedded.Protocol is not (IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp)
            || !_ipvs.Connections.TryFindIn(embedded.Reverse(), packet.Now, out int number))
        {
            return null;
        }

        ref Connection connection = ref _table[number];
        RealServer server = _ipvs.Servers[connection.Server];
        packet.BalancedBy = number;
        if (!IcmpRewriter.IsChecksumRight(packet))
        {
            return Outcome.Dropped(DropReason.IpvsIcmpChecksumWrong);
        }

        IpvsOutput.CountIn(server, packet.LengthBytes);
        DropReason refused = Approve(packet, server, isIcmp: true, out bool isLocal, out bool isTold);
        if (refused != DropReason.None || (isLocal && hook == HookPoint.Forward))
        {
            return Outcome.Answered(refused == DropReason.None ? DropReason.NoRoute : refused, isTold);
        }

        if (server.Method == ForwardingMethod.Masquerade
            && !IcmpRewriter.TryRewrite(
                packet, server.Address, server.PortFor(connection.Original.DestinationPort), towardsServer: true))
        {
            return Outcome.Dropped(DropReason.IpvsIcmpTruncated);
        }

        return Send(packet, connection, server, isLocal);
    }
}
