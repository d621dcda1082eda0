using FastPathLb.Wire;
using static FastPathLb.Conntrack.Tests.TrackedFlow;

namespace FastPathLb.Conntrack.Tests;

/// <summary>
/// Conntrack's state table, seen from outside: with windows not held against anybody, what a segment does in a state is what the
/// table of nf_conntrack_proto_tcp.c says. Iv: invalid. Ig: let through without effect. Re: the entry goes and a new one begins.
/// </summary>
public sealed class TcpTransitionTests
{
    private static readonly string[] s_states = ["NO", "SS", "SR", "ES", "FW", "CW", "LA", "TW", "CL", "S2"];

    private static readonly (FlowDirection Direction, TcpFlags Flags, string Row)[] s_rows =
    [
        //                                           NO SS SR ES FW CW LA TW CL S2
        (ToServer, TcpFlags.Syn,                    "SS SS Ig Ig Ig Ig Ig Re Re S2"),
        (ToServer, TcpFlags.Syn | TcpFlags.Ack,     "Iv Iv SR Iv Iv Iv Iv Iv Iv SR"),
        (ToServer, TcpFlags.Fin | TcpFlags.Ack,     "Iv Iv FW FW LA LA LA TW CL Iv"),
        (ToServer, TcpFlags.Ack,                    "ES Iv ES ES CW CW TW TW CL Iv"),
        (ToServer, TcpFlags.Rst,                    "Iv CL CL CL CL CL CL CL CL CL"),
        (ToServer, TcpFlags.Psh,                    "Iv Iv Iv Iv Iv Iv Iv Iv Iv Iv"),
        (ToClient, TcpFlags.Syn,                    "Iv S2 Iv Iv Iv Iv Iv Re Iv S2"),
        (ToClient, TcpFlags.Syn | TcpFlags.Ack,     "Iv SR Ig Ig Ig Ig Ig Ig Ig SR"),
        (ToClient, TcpFlags.Fin | TcpFlags.Ack,     "Iv Iv FW FW LA LA LA TW CL Iv"),
        (ToClient, TcpFlags.Ack,                    "Iv Ig SR ES CW CW TW TW CL Ig"),
        (ToClient, TcpFlags.Rst,                    "Iv CL CL CL CL CL CL CL CL CL"),
        (ToClient, TcpFlags.Psh,                    "Iv Iv Iv Iv Iv Iv Iv Iv Iv Iv"),
    ];

    public static TheoryData<FlowDirection, TcpFlags, string, string> Cells
    {
        get
        {
            TheoryData<FlowDirection, TcpFlags, string, string> cells = [];
            foreach ((FlowDirection direction, TcpFlags flags, string row) in s_rows)
            {
                string[] results = row.Split(' ');
                for (int state = 0; state < s_states.Length; state++)
                {
                    cells.Add(direction, flags, s_states[state], results[state]);
                }
            }

            return cells;
        }
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public void A_segment_in_a_state(FlowDirection direction, TcpFlags flags, string state, string expected)
    {
        TrackedFlow flow = new();
        flow.Begin();
        flow.Timeouts.TcpLiberal = true;
        flow.Connection.TrackState = (ConntrackTcpState)Array.IndexOf(s_states, state);
        flow.Connection.Flags = ConnectionFlags.SeenReply;

        // Both have been heard; the connection was closed in order, so that it may be reopened.
        flow.Connection.SeenOriginal.MaxWindow = 1;
        flow.Connection.SeenReply.MaxWindow = 1;
        flow.Connection.SeenReply.Flags = TcpSeenFlags.CloseInit;

        TrackVerdict verdict = flow.Send(direction, flags, 1, 1);

        string result = verdict switch
        {
            TrackVerdict.Invalid => "Iv",
            TrackVerdict.Repeat => "Re",
            _ when flow.Connection.TrackExpires == 0 => "Ig",
            _ => s_states[(int)flow.State],
        };
        Assert.Equal(expected, result);
        if (result is "Iv" or "Ig")
        {
            Assert.Equal(state, s_states[(int)flow.State]);
        }
    }

    [Fact]
    public void A_life_in_order()
    {
        TrackedFlow flow = new();
        List<ConntrackTcpState> states = [];
        void Step(FlowDirection direction, TcpFlags flags, uint sequence, uint acknowledgement, int length = 0)
        {
            byte[]? options = (flags & TcpFlags.Syn) != 0 ? SynOptions : null;
            Assert.Equal(TrackVerdict.Accept, flow.Send(direction, flags, sequence, acknowledgement, length, options: options));
            states.Add(flow.State);
        }

        Step(ToServer, TcpFlags.Syn, Client, 0);
        Step(ToClient, TcpFlags.Syn | TcpFlags.Ack, Server, Client + 1);
        Step(ToServer, TcpFlags.Ack, Client + 1, Server + 1);
        Assert.True((flow.Connection.Flags & ConnectionFlags.Assured) != 0, "assured by the third segment");
        Step(ToServer, TcpFlags.Ack | TcpFlags.Psh, Client + 1, Server + 1, 100);
        Step(ToClient, TcpFlags.Ack | TcpFlags.Psh, Server + 1, Client + 101, 200);
        Step(ToServer, TcpFlags.Fin | TcpFlags.Ack, Client + 101, Server + 201);
        Step(ToClient, TcpFlags.Ack, Server + 201, Client + 102);
        Step(ToClient, TcpFlags.Fin | TcpFlags.Ack, Server + 201, Client + 102);
        Step(ToServer, TcpFlags.Ack, Client + 102, Server + 202);

        Assert.Equal(
            [
                ConntrackTcpState.SynSent, ConntrackTcpState.SynReceived, ConntrackTcpState.Established, ConntrackTcpState.Established,
                ConntrackTcpState.Established, ConntrackTcpState.FinWait, ConntrackTcpState.CloseWait, ConntrackTcpState.LastAck,
                ConntrackTcpState.TimeWait,
            ],
            states);

        // A SYN begins the tuple anew; without an orderly end it would not.
        Assert.Equal(TrackVerdict.Repeat, flow.Send(ToServer, TcpFlags.Syn, Client + 9000, 0, options: SynOptions));
    }

    [Fact]
    public void A_simultaneous_open_ends_established()
    {
        TrackedFlow flow = new();
        Assert.Equal(TrackVerdict.Accept, flow.Send(ToServer, TcpFlags.Syn, Client, 0, options: SynOptions));
        Assert.Equal(TrackVerdict.Accept, flow.Send(ToClient, TcpFlags.Syn, Server, 0, options: SynOptions));
        Assert.Equal(ConntrackTcpState.SynSent2, flow.State);
        Assert.Equal(TrackVerdict.Accept, flow.Send(ToServer, TcpFlags.Syn | TcpFlags.Ack, Client, Server + 1, options: SynOptions));
        Assert.Equal(ConntrackTcpState.SynReceived, flow.State);
        Assert.Equal(TrackVerdict.Accept, flow.Send(ToClient, TcpFlags.Ack, Server + 1, Client + 1));
        Assert.Equal(ConntrackTcpState.Established, flow.State);
    }

    [Fact]
    public void A_connection_met_in_the_middle_is_established_and_liberal()
    {
        TrackedFlow flow = new();
        Assert.Equal(TrackVerdict.Accept, flow.Send(ToServer, TcpFlags.Ack, 77_000, 99_000, 10));
        Assert.Equal(ConntrackTcpState.Established, flow.State);
        Assert.Equal(300, flow.Left);
        Assert.Equal(TrackVerdict.Accept, flow.Send(ToClient, TcpFlags.Ack, 4_000_000_000, 77_010));
        Assert.True((flow.Connection.Flags & ConnectionFlags.Assured) == 0, "the first answer is not yet known as a reply");
        Assert.Equal(TrackVerdict.Accept, flow.Send(ToClient, TcpFlags.Ack, 4_000_000_000, 77_010));
        Assert.True((flow.Connection.Flags & ConnectionFlags.Assured) != 0, "a valid answer for a picked-up connection assures it");
    }

    [Fact]
    public void Without_tcp_loose_nothing_is_met_in_the_middle()
    {
        TrackedFlow flow = new();
        flow.Timeouts.TcpLoose = false;
        Assert.Equal(TrackVerdict.Invalid, flow.Send(ToServer, TcpFlags.Ack, 77_000, 99_000));
        Assert.Equal(TrackVerdict.Accept, flow.Send(ToServer, TcpFlags.Syn, 77_000, 0));
    }

    [Theory]
    [InlineData(TcpFlags.Syn | TcpFlags.Ack)]
    [InlineData(TcpFlags.Fin | TcpFlags.Ack)]
    [InlineData(TcpFlags.Rst)]
    [InlineData(TcpFlags.Rst | TcpFlags.Ack)]
    public void Nothing_begins_with_the_middle_or_end_of_a_connection(TcpFlags flags) =>
        Assert.Equal(TrackVerdict.Invalid, new TrackedFlow().Send(ToServer, flags, 1, 1));

    public static TheoryData<TcpFlags, bool> FlagCombinations
    {
        get
        {
            TheoryData<TcpFlags, bool> data = [];
            TcpFlags[] valid =
            [
                TcpFlags.Syn, TcpFlags.Syn | TcpFlags.Urg, TcpFlags.Syn | TcpFlags.Ack, TcpFlags.Rst, TcpFlags.Rst | TcpFlags.Ack,
                TcpFlags.Fin | TcpFlags.Ack, TcpFlags.Fin | TcpFlags.Ack | TcpFlags.Urg, TcpFlags.Ack, TcpFlags.Ack | TcpFlags.Urg,
            ];
            const TcpFlags Free = TcpFlags.Psh | TcpFlags.Ece | TcpFlags.Cwr;
            for (int flags = 0; flags < 256; flags++)
            {
                data.Add((TcpFlags)flags, valid.Contains((TcpFlags)flags & ~Free));
            }

            return data;
        }
    }

    [Fact]
    public void Flags_that_cannot_be_are_refused()
    {
        byte[] header = new byte[20];
        header[12] = 5 << 4;
        foreach (object[] row in FlagCombinations)
        {
            header[13] = (byte)(TcpFlags)row[0];
            Assert.True(TcpTracker.IsWellFormed(header, 20) == (bool)row[1], $"{row[0]}");
        }
    }

    [Theory]
    [InlineData(20, 20, 5, true)]
    [InlineData(20, 19, 5, false)]
    [InlineData(19, 20, 5, false)]
    [InlineData(20, 40, 4, false)]
    [InlineData(60, 60, 15, true)]
    [InlineData(60, 59, 15, false)]
    [InlineData(20, 60, 15, true)]
    public void A_header_must_be_whole(int there, int length, int words, bool expected)
    {
        byte[] header = new byte[there];
        if (there > 13)
        {
            header[12] = (byte)(words << 4);
            header[13] = (byte)TcpFlags.Ack;
        }

        Assert.Equal(expected, TcpTracker.IsWellFormed(header, length));
    }
}
