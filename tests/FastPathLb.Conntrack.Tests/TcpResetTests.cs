using FastPathLb.Wire;
using static FastPathLb.Conntrack.Tests.TrackedFlow;

namespace FastPathLb.Conntrack.Tests;

/// <summary>What conntrack believes of a RST.</summary>
public sealed class TcpResetTests
{
    private const uint ClientNext = Client + 1;
    private const uint ServerNext = Server + 1;

    public static TheoryData<string, uint, TrackVerdict, ConntrackTcpState> FromServer => new()
    {
        { "exactly the next number closes", ServerNext, TrackVerdict.Accept, ConntrackTcpState.Close },
        { "later in the window may be answered with a challenge", ServerNext + 100, TrackVerdict.Accept, ConntrackTcpState.Established },
        { "before what was acknowledged is no RST", ServerNext - 1, TrackVerdict.Invalid, ConntrackTcpState.Established },
        { "far before is no RST", ServerNext - 1_000_000, TrackVerdict.Invalid, ConntrackTcpState.Established },
        { "beyond the window is no RST", ServerNext + 1_000_000, TrackVerdict.Invalid, ConntrackTcpState.Established },
        { "zero is no RST of an established connection", 0, TrackVerdict.Invalid, ConntrackTcpState.Established },
    };

    [Theory]
    [MemberData(nameof(FromServer))]
    public void A_RST_of_the_server(string name, uint sequence, TrackVerdict verdict, ConntrackTcpState state)
    {
        TrackedFlow flow = Established();

        Assert.True(flow.Send(ToClient, TcpFlags.Rst | TcpFlags.Ack, sequence, ClientNext) == verdict, name);
        Assert.True(flow.State == state, $"{name}: {flow.State}");
        if (verdict == TrackVerdict.Accept)
        {
            // Even a RST that may be challenged shortens the entry's life.
            Assert.Equal(10, flow.Left);
        }
    }

    [Fact]
    public void A_RST_behind_the_last_data_closes()
    {
        TrackedFlow flow = Established();
        flow.Send(ToClient, TcpFlags.Ack | TcpFlags.Psh, ServerNext, ClientNext, 19);
        Assert.Equal(TrackVerdict.Accept, flow.Send(ToClient, TcpFlags.Rst | TcpFlags.Ack, ServerNext + 19, ClientNext));
        Assert.Equal(ConntrackTcpState.Close, flow.State);
    }

    [Fact]
    public void Tcp_ignore_invalid_rst_lets_an_old_RST_through_without_believing_it()
    {
        TrackedFlow flow = Established();
        flow.Timeouts.TcpIgnoreInvalidReset = true;
        Assert.Equal(TrackVerdict.Accept, flow.Send(ToClient, TcpFlags.Rst | TcpFlags.Ack, ServerNext - 1, ClientNext));
        Assert.Equal(ConntrackTcpState.Established, flow.State);
    }

    [Fact]
    public void A_refused_SYN_is_forgotten_by_the_caller()
    {
        TrackedFlow flow = new();
        flow.Send(ToServer, TcpFlags.Syn, Client, 0, options: SynOptions);
        Assert.Equal(TrackVerdict.AcceptAndForget, flow.Send(ToClient, TcpFlags.Rst | TcpFlags.Ack, 0, Client + 1));
    }

    [Fact]
    public void A_refusal_that_acknowledges_something_else_is_none()
    {
        TrackedFlow flow = new();
        flow.Send(ToServer, TcpFlags.Syn, Client, 0, options: SynOptions);
        Assert.Equal(TrackVerdict.Invalid, flow.Send(ToClient, TcpFlags.Rst | TcpFlags.Ack, 0, Client + 3));
        Assert.Equal(ConntrackTcpState.SynSent, flow.State);
    }

    [Fact]
    public void A_RST_that_acknowledges_nothing_is_taken_for_an_answer()
    {
        TrackedFlow flow = new();
        flow.Send(ToServer, TcpFlags.Syn, Client, 0, options: SynOptions);
        Assert.Equal(TrackVerdict.AcceptAndForget, flow.Send(ToClient, TcpFlags.Rst | TcpFlags.Ack, 0, 0));
    }

    [Fact]
    public void While_closing_any_RST_is_believed()
    {
        TrackedFlow flow = Established();
        flow.Send(ToServer, TcpFlags.Fin | TcpFlags.Ack, ClientNext, ServerNext);
        Assert.Equal(TrackVerdict.Accept, flow.Send(ToClient, TcpFlags.Rst, 3_000_000_000, 0));
        Assert.Equal(ConntrackTcpState.Close, flow.State);
    }

    [Fact]
    public void After_its_own_RST_a_client_may_open_anew()
    {
        TrackedFlow flow = Established();
        Assert.Equal(TrackVerdict.Accept, flow.Send(ToServer, TcpFlags.Rst | TcpFlags.Ack, ClientNext, ServerNext));
        Assert.Equal(ConntrackTcpState.Close, flow.State);
        Assert.Equal(TrackVerdict.Repeat, flow.Send(ToServer, TcpFlags.Syn, 900_000, 0, options: SynOptions));
    }

    [Fact]
    public void After_the_servers_RST_a_SYN_is_merely_let_through()
    {
        TrackedFlow flow = Established();
        Assert.Equal(TrackVerdict.Accept, flow.Send(ToClient, TcpFlags.Rst | TcpFlags.Ack, ServerNext, ClientNext));
        Assert.Equal(TrackVerdict.Accept, flow.Send(ToServer, TcpFlags.Syn, 900_000, 0, options: SynOptions));
        Assert.Equal(ConntrackTcpState.Close, flow.State);

        // Its answer brings conntrack back in step.
        Assert.Equal(TrackVerdict.Accept, flow.Send(ToClient, TcpFlags.Syn | TcpFlags.Ack, 1, 900_001, options: SynOptions));
        Assert.Equal(ConntrackTcpState.SynReceived, flow.State);
    }

    [Fact]
    public void Ends_out_of_the_window_from_both_sides_shorten_the_life()
    {
        TrackedFlow flow = Established();
        Assert.Equal(TrackVerdict.Invalid, flow.Send(ToServer, TcpFlags.Fin | TcpFlags.Ack, ClientNext + 1_000_000, ServerNext));
        Assert.Equal(432_000, flow.Left);
        Assert.Equal(TrackVerdict.Invalid, flow.Send(ToClient, TcpFlags.Fin | TcpFlags.Ack, ServerNext + 1_000_000, ClientNext));
        Assert.Equal(300, flow.Left);
        Assert.Equal(ConntrackTcpState.Established, flow.State);
    }
}
