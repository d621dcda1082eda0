using FastPathLb.Wire;
using static FastPathLb.Conntrack.Tests.TrackedFlow;

namespace FastPathLb.Conntrack.Tests;

public sealed class TimeoutTests
{
    private const long Second = 1_000_000_000;
    private const uint ClientNext = Client + 1;
    private const uint ServerNext = Server + 1;

    public static TheoryData<ConntrackTcpState, int> ConntrackDefaults => new()
    {
        { ConntrackTcpState.SynSent, 120 },
        { ConntrackTcpState.SynReceived, 60 },
        { ConntrackTcpState.Established, 5 * 86_400 },
        { ConntrackTcpState.FinWait, 120 },
        { ConntrackTcpState.CloseWait, 60 },
        { ConntrackTcpState.LastAck, 30 },
        { ConntrackTcpState.TimeWait, 120 },
        { ConntrackTcpState.Close, 10 },
        { ConntrackTcpState.SynSent2, 120 },
    };

    public static TheoryData<IpvsTcpState, int> IpvsDefaults => new()
    {
        { IpvsTcpState.None, 2 },
        { IpvsTcpState.Established, 15 * 60 },
        { IpvsTcpState.SynSent, 2 * 60 },
        { IpvsTcpState.SynReceived, 60 },
        { IpvsTcpState.FinWait, 2 * 60 },
        { IpvsTcpState.TimeWait, 2 * 60 },
        { IpvsTcpState.Close, 10 },
        { IpvsTcpState.CloseWait, 60 },
        { IpvsTcpState.LastAck, 30 },
        { IpvsTcpState.Listen, 2 * 60 },
        { IpvsTcpState.SynAck, 120 },
    };

    [Theory]
    [MemberData(nameof(ConntrackDefaults))]
    public void Conntrack_keeps_a_state_as_long_as_the_kernel(ConntrackTcpState state, int seconds) =>
        Assert.Equal(seconds * Second, new ConntrackTimeouts()[state]);

    [Theory]
    [MemberData(nameof(IpvsDefaults))]
    public void Ipvs_keeps_a_state_as_long_as_the_kernel(IpvsTcpState state, int seconds) =>
        Assert.Equal(seconds * Second, new IpvsTimeouts()[state]);

    [Fact]
    public void The_rest_is_as_in_the_kernel()
    {
        ConntrackTimeouts conntrack = new();
        Assert.Equal(
            [300, 300, 30, 120, 30, 600, 3],
            new long[]
            {
                conntrack.Retransmitted / Second, conntrack.Unacknowledged / Second, conntrack.Udp / Second, conntrack.UdpStream / Second,
                conntrack.Icmp / Second, conntrack.Generic / Second, conntrack.TcpRetransmissionsMax,
            });
        Assert.Equal((300 * Second, true, false, false), (new IpvsTimeouts().Udp, conntrack.TcpLoose, conntrack.TcpLiberal, conntrack.TcpIgnoreInvalidReset));
    }

    [Fact]
    public void Each_state_of_a_life_starts_its_own_time()
    {
        TrackedFlow flow = new();
        flow.Send(ToServer, TcpFlags.Syn, Client, 0, options: SynOptions);
        Assert.Equal(120, flow.Left);
        flow.Send(ToClient, TcpFlags.Syn | TcpFlags.Ack, Server, ClientNext, options: SynOptions, window: 64240);
        Assert.Equal(60, flow.Left);
        flow.Send(ToServer, TcpFlags.Ack, ClientNext, ServerNext);
        Assert.Equal(432_000, flow.Left);
        flow.Send(ToServer, TcpFlags.Ack, ClientNext, ServerNext, 100);
        Assert.Equal(300, flow.Left);
        flow.Send(ToClient, TcpFlags.Ack, ServerNext, ClientNext + 100);
        Assert.Equal(432_000, flow.Left);
        flow.Send(ToServer, TcpFlags.Fin | TcpFlags.Ack, ClientNext + 100, ServerNext);
        Assert.Equal(120, flow.Left);
        flow.Send(ToClient, TcpFlags.Ack, ServerNext, ClientNext + 101);
        Assert.Equal(60, flow.Left);
        flow.Send(ToClient, TcpFlags.Fin | TcpFlags.Ack, ServerNext, ClientNext + 101);
        Assert.Equal(30, flow.Left);
        flow.Send(ToServer, TcpFlags.Ack, ClientNext + 101, ServerNext + 1);
        Assert.Equal(120, flow.Left);
    }

    [Fact]
    public void A_SYN_again_does_not_prolong_the_entry()
    {
        TrackedFlow flow = new();
        flow.Send(ToServer, TcpFlags.Syn, Client, 0, options: SynOptions);
        flow.Wait(3);
        Assert.Equal(TrackVerdict.Accept, flow.Send(ToServer, TcpFlags.Syn, Client, 0, options: SynOptions));
        Assert.Equal(117, flow.Left);
    }

    [Fact]
    public void Three_retransmissions_shorten_the_life()
    {
        TrackedFlow flow = Established();
        for (int times = 0; times < 3; times++)
        {
            flow.Send(ToServer, TcpFlags.Ack, ClientNext, ServerNext, 0, window: 500);
            Assert.Equal(432_000, flow.Left);
        }

        flow.Send(ToServer, TcpFlags.Ack, ClientNext, ServerNext, 0, window: 500);
        Assert.Equal(300, flow.Left);
        flow.Send(ToServer, TcpFlags.Ack, ClientNext, ServerNext, 0, window: 501);
        Assert.Equal(432_000, flow.Left);
    }

    [Fact]
    public void Settings_of_a_node_take_the_place_of_the_defaults()
    {
        TrackedFlow flow = Established();
        flow.Timeouts[ConntrackTcpState.Established] = 100 * Second;
        flow.Send(ToServer, TcpFlags.Ack, ClientNext, ServerNext, 100);
        Assert.Equal(100, flow.Left);
    }
}
