using FastPathLb.Wire;
using static FastPathLb.Conntrack.Tests.TrackedFlow;

namespace FastPathLb.Conntrack.Tests;

/// <summary>
/// Window tracking (tcp_in_window). After <see cref="TrackedFlow.Established"/> both sides have sent their SYN and nothing more; the
/// server offered 64,240 bytes in its SYN+ACK, the client 502 &lt;&lt; 7 in its ACK.
/// </summary>
public sealed class TcpWindowTests
{
    private const uint ClientNext = Client + 1;
    private const uint ServerNext = Server + 1;

    /// <summary>Right edge the client was offered: the SYN+ACK's window, which is never scaled.</summary>
    private const uint ClientEdge = ClientNext + 64240;

    public static TheoryData<string, uint, uint, int, TrackVerdict, uint> FromClient => new()
    {
        // name, sequence, acknowledgement, length, verdict, what the client is known to have sent afterwards
        { "next in order", ClientNext, ServerNext, 100, TrackVerdict.Accept, ClientNext + 100 },
        { "leaving a hole", ClientNext + 5000, ServerNext, 100, TrackVerdict.Accept, ClientNext + 5100 },
        { "the last byte that fits", ClientEdge, ServerNext, 1, TrackVerdict.Accept, ClientEdge + 1 },
        { "a little beyond the window is let through", ClientEdge + 1, ServerNext, 100, TrackVerdict.Accept, ClientEdge + 101 },
        { "more than a window beyond", ClientEdge + 1 + 64240, ServerNext, 100, TrackVerdict.Invalid, ClientNext },
        { "far beyond", ClientNext + 1_000_000, ServerNext, 0, TrackVerdict.Invalid, ClientNext },
        { "acknowledges what was not sent", ClientNext, ServerNext + 1, 0, TrackVerdict.Invalid, ClientNext },
        { "an old segment again", ClientNext - 100, ServerNext, 50, TrackVerdict.Accept, ClientNext },
        { "as old as the window is wide", ClientNext - 64240, ServerNext, 0, TrackVerdict.Accept, ClientNext },
        { "older than the window", ClientNext - 64241, ServerNext, 0, TrackVerdict.Accept, ClientNext },
        { "an acknowledgement as old as may be", ClientNext, ServerNext - 66000, 0, TrackVerdict.Accept, ClientNext },
        { "an acknowledgement older than that", ClientNext, ServerNext - 66001, 0, TrackVerdict.Accept, ClientNext },
        { "keepalive: one before the next", ClientNext - 1, ServerNext, 0, TrackVerdict.Accept, ClientNext },
        { "keepalive with a byte", ClientNext - 1, ServerNext, 1, TrackVerdict.Accept, ClientNext },
    };

    [Theory]
    [MemberData(nameof(FromClient))]
    public void A_segment_of_the_client(string name, uint sequence, uint acknowledgement, int length, TrackVerdict verdict, uint end)
    {
        TrackedFlow flow = Established();

        Assert.True(flow.Send(ToServer, TcpFlags.Ack, sequence, acknowledgement, length) == verdict, name);
        Assert.True(flow.Connection.SeenOriginal.End == end, $"{name}: {flow.Connection.SeenOriginal.End}, not {end}");
        Assert.Equal(ConntrackTcpState.Established, flow.State);
    }

    [Fact]
    public void What_is_merely_ignored_changes_nothing_but_passes()
    {
        // Older than the window: accepted without effect, so the timeout stays.
        TrackedFlow flow = Established();
        flow.Wait(10);
        double left = flow.Left;
        Assert.Equal(TrackVerdict.Accept, flow.Send(ToServer, TcpFlags.Ack, ClientNext - 64241, ServerNext));
        Assert.Equal(left, flow.Left);
        Assert.Equal(TrackVerdict.Accept, flow.Send(ToServer, TcpFlags.Ack, ClientNext, ServerNext));
        Assert.Equal(432_000, flow.Left);
    }

    [Fact]
    public void Liberal_tracking_lets_everything_through()
    {
        TrackedFlow flow = Established();
        flow.Timeouts.TcpLiberal = true;
        Assert.Equal(TrackVerdict.Accept, flow.Send(ToServer, TcpFlags.Ack, ClientNext + 1_000_000, ServerNext));
        Assert.Equal(TrackVerdict.Accept, flow.Send(ToServer, TcpFlags.Ack, ClientNext, ServerNext + 1_000_000));
    }

    [Fact]
    public void A_window_is_scaled_where_both_said_so()
    {
        TrackedFlow flow = Established();

        // The client's ACK offered 502 << 7 bytes.
        Assert.Equal(ServerNext + (502 << 7), flow.Connection.SeenReply.MaxEnd);
        Assert.Equal(TrackVerdict.Accept, flow.Send(ToClient, TcpFlags.Ack, ServerNext + (502 << 7), ClientNext, 1));
    }

    [Fact]
    public void A_window_is_not_scaled_where_one_side_did_not_say_so()
    {
        TrackedFlow flow = Established(serverOptions: SackOptions);

        Assert.Equal((0, 0), (flow.Connection.SeenOriginal.Scale, flow.Connection.SeenReply.Scale));
        Assert.Equal(ServerNext + 502, flow.Connection.SeenReply.MaxEnd);
    }

    [Fact]
    public void A_shift_above_fourteen_counts_as_fourteen()
    {
        TrackedFlow flow = Established(clientOptions: [1, 3, 3, 200], serverOptions: [1, 3, 3, 14]);
        Assert.Equal((14, 14), (flow.Connection.SeenOriginal.Scale, flow.Connection.SeenReply.Scale));
    }

    [Theory]
    [InlineData(new byte[] { 3, 3 })]
    [InlineData(new byte[] { 3, 0, 7, 0 })]
    [InlineData(new byte[] { 3, 1, 7, 0 })]
    [InlineData(new byte[] { 3, 9, 7, 0 })]
    [InlineData(new byte[] { 0, 3, 3, 7 })]
    [InlineData(new byte[] { 1, 1, 1, 3 })]
    [InlineData(new byte[] { 3, 4, 7, 0 })]
    public void Options_that_are_cut_or_silly_are_passed_over(byte[] options)
    {
        byte[] padded = new byte[(options.Length + 3) & ~3];
        options.CopyTo(padded, 0);
        TrackedFlow flow = Established(clientOptions: padded);
        Assert.Equal(0, flow.Connection.SeenOriginal.Scale);
    }

    [Fact]
    public void A_selective_acknowledgement_counts_as_the_highest_byte_it_names()
    {
        TrackedFlow flow = Established();
        flow.Send(ToClient, TcpFlags.Ack, ServerNext, ClientNext, 1000);
        flow.Send(ToClient, TcpFlags.Ack, ServerNext + 2000, ClientNext, 1000);

        // The hole stays; bytes up to 3000 were sent, more were not.
        Assert.Equal(
            TrackVerdict.Accept,
            flow.Send(ToServer, TcpFlags.Ack, ClientNext, ServerNext + 1000, options: Sack((ServerNext + 2000, ServerNext + 3000))));
        Assert.Equal(
            TrackVerdict.Invalid,
            flow.Send(ToServer, TcpFlags.Ack, ClientNext, ServerNext + 1000, options: Sack((ServerNext + 2000, ServerNext + 3001))));
        Assert.Equal(
            TrackVerdict.Invalid,
            flow.Send(
                ToServer, TcpFlags.Ack, ClientNext, ServerNext + 1000,
                options: Sack((ServerNext, ServerNext + 10), (ServerNext + 2000, ServerNext + 3001))));
    }

    [Fact]
    public void A_selective_acknowledgement_that_was_not_agreed_on_is_not_read()
    {
        TrackedFlow flow = Established(serverOptions: [1, 3, 3, 7]);
        Assert.Equal(
            TrackVerdict.Accept,
            flow.Send(ToServer, TcpFlags.Ack, ClientNext, ServerNext, options: Sack((ServerNext, ServerNext + 100_000))));
    }

    [Fact]
    public void A_window_of_zero_takes_a_probe_of_one_byte()
    {
        TrackedFlow flow = Established(clientOptions: [], serverOptions: [], window: 1);
        flow.Send(ToClient, TcpFlags.Ack, ServerNext, ClientNext, window: 0);
        Assert.Equal(300, flow.Left);
        Assert.Equal(TrackVerdict.Accept, flow.Send(ToServer, TcpFlags.Ack, ClientNext, ServerNext, 1));
    }

    [Fact]
    public void Sequence_numbers_wrap()
    {
        TrackedFlow flow = new();
        const uint First = uint.MaxValue - 10;
        flow.Send(ToServer, TcpFlags.Syn, First, 0, options: SynOptions);
        flow.Send(ToClient, TcpFlags.Syn | TcpFlags.Ack, Server, unchecked(First + 1), options: SynOptions, window: 64240);
        flow.Send(ToServer, TcpFlags.Ack, unchecked(First + 1), ServerNext);
        Assert.Equal(TrackVerdict.Accept, flow.Send(ToServer, TcpFlags.Ack, unchecked(First + 1), ServerNext, 1000));
        Assert.Equal(990u, flow.Connection.SeenOriginal.End);
        Assert.Equal(TrackVerdict.Accept, flow.Send(ToClient, TcpFlags.Ack, ServerNext, 990));
        Assert.Equal(TrackVerdict.Invalid, flow.Send(ToClient, TcpFlags.Ack, ServerNext, 991));
    }

    [Fact]
    public void A_SYN_that_was_let_through_is_believed_once_it_is_answered()
    {
        // The client lost its connection and opens anew from the same port; conntrack still holds the old one.
        TrackedFlow flow = Established();
        const uint Anew = 900_000;
        Assert.Equal(TrackVerdict.Accept, flow.Send(ToServer, TcpFlags.Syn, Anew, 0, options: SynOptions));
        Assert.Equal(ConntrackTcpState.Established, flow.State);
        Assert.Equal(TrackVerdict.Accept, flow.Send(ToClient, TcpFlags.Syn | TcpFlags.Ack, 700_000, Anew + 1, options: SynOptions));
        Assert.Equal(ConntrackTcpState.SynReceived, flow.State);
        Assert.Equal(TrackVerdict.Accept, flow.Send(ToServer, TcpFlags.Ack, Anew + 1, 700_001));
        Assert.Equal(ConntrackTcpState.Established, flow.State);
        Assert.Equal(7, flow.Connection.SeenOriginal.Scale);
    }

    [Fact]
    public void A_challenge_answer_to_a_SYN_does_not_acknowledge_the_last_FIN()
    {
        TrackedFlow flow = Established();
        flow.Send(ToServer, TcpFlags.Fin | TcpFlags.Ack, ClientNext, ServerNext);
        flow.Send(ToClient, TcpFlags.Fin | TcpFlags.Ack, ServerNext, ClientNext + 1);
        Assert.Equal(ConntrackTcpState.LastAck, flow.State);
        Assert.Equal(TrackVerdict.Accept, flow.Send(ToServer, TcpFlags.Syn, 900_000, 0, options: SynOptions));
        Assert.Equal(TrackVerdict.Accept, flow.Send(ToClient, TcpFlags.Ack, ServerNext + 1, ClientNext + 1));
        Assert.Equal(ConntrackTcpState.LastAck, flow.State);
        Assert.Equal(TrackVerdict.Accept, flow.Send(ToServer, TcpFlags.Ack, ClientNext + 1, ServerNext + 1));
        Assert.Equal(ConntrackTcpState.TimeWait, flow.State);
    }
}
