using FastPathLb.Conntrack;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Ipvs;

/// <summary>IPVS's states and how they count (set_tcp_state in ip_vs_proto_tcp.c, udp_state_transition in ip_vs_proto_udp.c).</summary>
internal static class IpvsState
{
    /// <summary>Steps a connection by a packet.</summary>
    /// <returns>How long the connection lives from now on, in nanoseconds.</returns>
    public static long Step(IpvsCore ipvs, ref Connection connection, RealServer server, Packet packet, bool isReply)
    {
        if (connection.Original.Protocol == IpProtocol.Udp)
        {
            return StepUdp(ipvs, connection, isReply);
        }

        if (connection.Original.Protocol != IpProtocol.Tcp)
        {
            return ipvs.Timeouts.Other;
        }

        Span<byte> segment = packet.Transport;
        return segment.Length < TcpSegment.MinimumHeaderBytes
            ? ipvs.Timeouts[connection.IpvsState]
            : StepTcp(ipvs, ref connection, server, (TcpFlags)segment[13], isReply);
    }

    /// <summary>Steps a UDP connection.</summary>
    public static long StepUdp(IpvsCore ipvs, in Connection connection, bool isReply)
    {
        if (isReply)
        {
            ipvs.Connections.AssureTemplateOf(connection);
        }

        return ipvs.Timeouts.Udp;
    }

    /// <summary>Steps a TCP connection by a segment's flags.</summary>
    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.AggressiveInlining)]
    public static long StepTcp(IpvsCore ipvs, ref Connection connection, RealServer server, TcpFlags flags, bool isReply)
    {
        IpvsTcpTransitions.Side side = isReply ? IpvsTcpTransitions.Side.Output : IpvsTcpTransitions.Side.Input;
        if ((connection.Flags & ConnectionFlags.NoOutput) != 0)
        {
            if (isReply)
            {
                connection.Flags &= ~ConnectionFlags.NoOutput;
            }
            else
            {
                side = IpvsTcpTransitions.Side.InputOnly;
            }
        }

        IpvsTcpState state = IpvsTcpTransitions.Next(side, flags, connection.IpvsState, ipvs.Settings.IsSecureTcp);
        if (state != connection.IpvsState)
        {
            bool isInactive = (connection.Flags & ConnectionFlags.Inactive) != 0;
            if (isInactive && IpvsTcpTransitions.IsActive(state))
            {
                server.AddActive(1);
                connection.Flags &= ~ConnectionFlags.Inactive;
            }
            else if (!isInactive && !IpvsTcpTransitions.IsActive(state))
            {
                server.AddActive(-1);
                connection.Flags |= ConnectionFlags.Inactive;
            }

            if (state == IpvsTcpState.Established)
            {
                ipvs.Connections.AssureTemplateOf(connection);
            }

            connection.IpvsState = state;
        }

        return ipvs.Timeouts[state];
    }
}
