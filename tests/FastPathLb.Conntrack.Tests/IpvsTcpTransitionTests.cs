using FastPathLb.Wire;
using Side = FastPathLb.Conntrack.IpvsTcpTransitions.Side;

namespace FastPathLb.Conntrack.Tests;

/// <summary>IPVS's state tables (ip_vs_proto_tcp.c), row by row.</summary>
public sealed class IpvsTcpTransitionTests
{
    private static readonly string[] s_states = ["NO", "ES", "SS", "SR", "FW", "TW", "CL", "CW", "LA", "LI", "SA"];

    public static TheoryData<bool, Side, TcpFlags, string> Rows => new()
    {
        //                                           NO ES SS SR FW TW CL CW LA LI SA
        { false, Side.Input, TcpFlags.Syn,          "SR ES ES SR SR SR SR SR SR SR SR" },
        { false, Side.Input, TcpFlags.Fin,          "CL CW SS TW TW TW CL CW LA LI TW" },
        { false, Side.Input, TcpFlags.Ack,          "ES ES SS ES FW TW CL CW CL LI ES" },
        { false, Side.Input, TcpFlags.Rst,          "CL CL CL SR CL CL CL CL LA LI SR" },
        { false, Side.Output, TcpFlags.Syn,         "SS ES SS SR SS SS SS SS SS LI SR" },
        { false, Side.Output, TcpFlags.Fin,         "TW FW SS TW FW TW CL TW LA LI TW" },
        { false, Side.Output, TcpFlags.Ack,         "ES ES SS ES FW TW CL CW LA ES ES" },
        { false, Side.Output, TcpFlags.Rst,         "CL CL SS CL CL TW CL CL CL CL CL" },
        { false, Side.InputOnly, TcpFlags.Syn,      "SR ES ES SR SR SR SR SR SR SR SR" },
        { false, Side.InputOnly, TcpFlags.Fin,      "CL FW SS TW FW TW CL CW LA LI TW" },
        { false, Side.InputOnly, TcpFlags.Ack,      "ES ES SS ES FW TW CL CW CL LI ES" },
        { false, Side.InputOnly, TcpFlags.Rst,      "CL CL CL SR CL CL CL CL LA LI CL" },
        { true, Side.Input, TcpFlags.Syn,           "SR ES ES SR SR SR SR SR SR SR SA" },
        { true, Side.Input, TcpFlags.Fin,           "CL CW SS TW TW TW CL CW LA LI SA" },
        { true, Side.Input, TcpFlags.Ack,           "ES ES SS SR FW TW CL CW CL LI SA" },
        { true, Side.Input, TcpFlags.Rst,           "CL CL CL SR CL CL CL CL LA LI CL" },
        { true, Side.Output, TcpFlags.Syn,          "SS ES SS SA SS SS SS SS SS LI SA" },
        { true, Side.Output, TcpFlags.Fin,          "TW FW SS TW FW TW CL TW LA LI TW" },
        { true, Side.Output, TcpFlags.Ack,          "ES ES SS ES FW TW CL CW LA ES ES" },
        { true, Side.Output, TcpFlags.Rst,          "CL CL SS CL CL TW CL CL CL CL CL" },
        { true, Side.InputOnly, TcpFlags.Syn,       "SA ES ES SR SA SA SA SA SA SA SA" },
        { true, Side.InputOnly, TcpFlags.Fin,       "CL FW SS TW FW TW CL CW LA LI TW" },
        { true, Side.InputOnly, TcpFlags.Ack,       "ES ES SS ES FW TW CL CW CL LI ES" },
        { true, Side.InputOnly, TcpFlags.Rst,       "CL CL CL SR CL CL CL CL LA LI CL" },
    };

    [Theory]
    [MemberData(nameof(Rows))]
    public void A_flag_on_a_side(bool isSecure, Side side, TcpFlags flags, string expected)
    {
        string actual = string.Join(' ', Enumerable.Range(0, s_states.Length)
            .Select(state => s_states[(int)IpvsTcpTransitions.Next(side, flags, (IpvsTcpState)state, isSecure)]));

        Assert.Equal(expected, actual);
    }

    [Theory]
    [InlineData(TcpFlags.Rst | TcpFlags.Syn | TcpFlags.Fin | TcpFlags.Ack, TcpFlags.Rst)]
    [InlineData(TcpFlags.Syn | TcpFlags.Fin | TcpFlags.Ack, TcpFlags.Syn)]
    [InlineData(TcpFlags.Fin | TcpFlags.Ack | TcpFlags.Psh, TcpFlags.Fin)]
    [InlineData(TcpFlags.Ack | TcpFlags.Psh | TcpFlags.Urg, TcpFlags.Ack)]
    public void Of_several_flags_the_strongest_counts(TcpFlags flags, TcpFlags strongest)
    {
        foreach (IpvsTcpState state in Enum.GetValues<IpvsTcpState>())
        {
            foreach (Side side in Enum.GetValues<Side>())
            {
                Assert.Equal(
                    IpvsTcpTransitions.Next(side, strongest, state, secureTcp: false),
                    IpvsTcpTransitions.Next(side, flags, state, secureTcp: false));
            }
        }
    }

    [Theory]
    [InlineData(TcpFlags.None)]
    [InlineData(TcpFlags.Psh | TcpFlags.Urg)]
    public void Without_a_flag_that_counts_a_connection_closes(TcpFlags flags) => Assert.Equal(
        IpvsTcpState.Close, IpvsTcpTransitions.Next(Side.Input, flags, IpvsTcpState.Established, secureTcp: false));

    [Fact]
    public void Four_states_count_as_active() => Assert.Equal(
        [IpvsTcpState.Established, IpvsTcpState.SynSent, IpvsTcpState.SynReceived, IpvsTcpState.SynAck],
        Enum.GetValues<IpvsTcpState>().Where(IpvsTcpTransitions.IsActive));

    [Fact]
    public void States_have_the_names_that_ipvsadm_prints() => Assert.Equal(
        "NONE ESTABLISHED SYN_SENT SYN_RECV FIN_WAIT TIME_WAIT CLOSE CLOSE_WAIT LAST_ACK LISTEN SYNACK ERR!",
        string.Join(' ', Enum.GetValues<IpvsTcpState>().Append((IpvsTcpState)99).Select(IpvsTcpTransitions.Name)));
}
