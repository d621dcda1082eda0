using FastPathLb.Balancer.Netfilter;
using FastPathLb.Balancer.Stack;
using FastPathLb.Conntrack;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Ipvs;

/// <summary>Packets from real servers (ip_vs_out_hook, handle_response in ip_vs_core.c): they get the virtual address as source.</summary>
internal sealed class IpvsOutput
{
    private readonly NetworkNamespace _space;
    private readonly IpvsCore _ipvs;
    private readonly ConnectionTable _table;

    public IpvsOutput(NetworkNamespace space, IpvsCore ipvs, ConnectionTable table)
    {
        _space = space;
        _ipvs = ipvs;
        _table = table;
    }

    /// <summary>Handles a packet at LOCAL_IN or FORWARD.</summary>
    /// <returns>Why it was dropped, or null where it goes on, rewritten or not.</returns>
    public Outcome? Process(Packet packet, HookPoint hook)
    {
        if (packet.IsBalanced)
        {
            return null;
        }

        if (packet.Protocol == IpProtocol.Icmp)
        {
            return ProcessIcmp(packet);
        }

        if (packet.Protocol is not (IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp) || !packet.HasPorts)
        {
            return null;
        }

        int attached = packet.Track != TrackInfo.Untracked && !packet.IsPending ? packet.Connection : -1;
        if (!_ipvs.Connections.TryFindOut(packet.PortKey(_space.Number), packet.Now, attached, out int number))
        {
            return null;
        }

        ref Connection connection = ref _table[number];
        RealServer server = _ipvs.Servers[connection.Server];
        packet.BalancedBy = number;
        if (server.Method == ForwardingMethod.Masquerade
            && !TransportRewriter.TryReplaceSource(
                packet, connection.Original.Destination, connection.Original.DestinationPort,
                TransportRewriter.ZeroUdpChecksum.Compute))
        {
            return Outcome.Dropped(DropReason.IpvsNatFailed);
        }

        CountOut(server, packet.LengthBytes);
        long timeout = IpvsState.Step(_ipvs, ref connection, server, packet, isReply: true);
        packet.IsBalanced = true;
        AdjustConntrack(packet, connection, server);
        _ipvs.Connections.Restart(number, packet.Now + timeout);
        return null;
    }

    /// <summary>ip_vs_in_stats: a removed server counts no more.</summary>
    public static void CountIn(RealServer server, int lengthBytes)
    {
        if (server.IsAvailable)
        {
            server.Counters.InPackets++;
            server.Counters.InBytes += lengthBytes;
            server.Service.Counters.InPackets++;
            server.Service.Counters.InBytes += lengthBytes;
        }
    }

    private static void CountOut(RealServer server, int lengthBytes)
    {
        if (server.IsAvailable)
        {
            server.Counters.OutPackets++;
            server.Counters.OutBytes += lengthBytes;
            server.Service.Counters.OutPackets++;
            server.Service.Counters.OutBytes += lengthBytes;
        }
    }

    private static void AdjustConntrack(Packet packet, in Connection connection, RealServer server)
    {
        if ((connection.Flags & ConnectionFlags.OwnsConntrack) == 0)
        {
            packet.ClearTracking();
        }
        else if (packet.IsPending && server.Method == ForwardingMethod.Masquerade
            && (connection.Flags & ConnectionFlags.OnePacket) == 0 && packet.Direction == FlowDirection.Original)
        {
            packet.Pending.Reply.Destination = connection.Original.Destination;
            if (packet.Protocol != IpProtocol.Icmp)
            {
                packet.Pending.Reply.DestinationPort = connection.Original.DestinationPort;
            }
        }
    }

    /// <summary>ICMP errors from the server's side (ip_vs_out_icmp, handle_response_icmp).</summary>
    private Outcome? ProcessIcmp(Packet packet)
    {
        Span<byte> message = packet.Transport;
        if (message.Length < Icmp.HeaderBytes)
        {
            return Outcome.Dropped(DropReason.IpvsIcmpTruncated);
        }

        if (!Icmp.IsBalancedError((IcmpType)message[0])
            || !FlowKeyReader.TryRead(message[Icmp.HeaderBytes..], _space.Number, out FlowKey embedded)
            || embedded.Protocol is not (IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp))
        {
            return null;
        }

        int attached = packet.Track == TrackInfo.Related && !packet.IsPending ? packet.Connection : -1;
        if (!_ipvs.Connections.TryFindOut(embedded.Reverse(), packet.Now, attached, out int number))
        {
            return null;
        }

        ref Connection connection = ref _table[number];
        RealServer server = _ipvs.Servers[connection.Server];
        packet.BalancedBy = number;
        if (server.Method == ForwardingMethod.Masquerade)
        {
            if (!IcmpRewriter.IsChecksumRight(packet))
            {
                return Outcome.Dropped(DropReason.IpvsIcmpChecksumWrong);
            }

            if (!IcmpRewriter.TryRewrite(
                packet, connection.Original.Destination, connection.Original.DestinationPort, towardsServer: false))
            {
                return Outcome.Dropped(DropReason.IpvsIcmpTruncated);
            }
        }

        CountOut(server, packet.LengthBytes);
        packet.IsBalanced = true;
        AdjustConntrack(packet, connection, server);
        return null;
    }
}
