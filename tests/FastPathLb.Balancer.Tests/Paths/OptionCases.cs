using FastPathLb.Pipeline;
using FastPathLb.TestKit;
using FastPathLb.Wire;
using static FastPathLb.Balancer.Tests.Paths.PathStep;
using static FastPathLb.Balancer.Tests.Paths.Traffic;

namespace FastPathLb.Balancer.Tests.Paths;

/// <summary>IPv4 options: what a host on the way writes into them, and what it sends back.</summary>
internal static class OptionCases
{
    /// <summary>Milliseconds since midnight UTC at the tests' epoch, 22:13:20.</summary>
    public static readonly byte[] EpochTime = [0x04, 0xC4, 0xB4, 0x00];

    private static readonly byte[] s_lb = [10, 0, 1, 5];
    private static readonly byte[] s_vip = [10, 0, 1, 2];
    private static readonly byte[] s_stranger = [10, 0, 1, 77];
    private static readonly byte[] s_none = [0, 0, 0, 0];

    private static readonly PacketBuilder s_through = PacketBuilder.Udp(Client, "10.0.1.3:9");

    private static readonly PacketBuilder s_echo = PacketBuilder.Icmp(SmallSwarm.Client, SmallSwarm.Vip, IcmpType.Echo, rest: 7);

    private static readonly PacketBuilder s_reply =
        PacketBuilder.Icmp(SmallSwarm.Vip, SmallSwarm.Client, IcmpType.EchoReply, rest: 7) with { DontFragment = false };

    public static IReadOnlyList<PathCase> All { get; } =
    [
        Through("a router records itself in a route", [7, 7, 4, .. s_none, 0], [7, 7, 8, .. s_lb, 0]),
        Through("a route that is full is sent on as it is", [7, 7, 8, .. s_vip, 0], [7, 7, 8, .. s_vip, 0]),
        Through("bytes after the end of the options are cleared", [1, 0, 9, 9], [1, 0, 0, 0]),
        Through("a router stamps the time", [68, 8, 5, 0, .. s_none], [68, 8, 9, 0, .. EpochTime]),
        Through(
            "a router stamps its address and the time", [68, 12, 5, 1, .. s_none, .. s_none], [68, 12, 13, 1, .. s_lb, .. EpochTime]),
        Through(
            "a router that is asked by name stamps the time",
            [68, 20, 5, 3, .. s_lb, .. s_none, .. s_stranger, .. s_none], [68, 20, 13, 3, .. s_lb, .. EpochTime, .. s_stranger, .. s_none]),
        Through(
            "a router that is not asked does not",
            [68, 12, 5, 3, .. s_stranger, .. s_none], [68, 12, 5, 3, .. s_stranger, .. s_none]),
        Through("a router that finds no room is counted", [68, 8, 9, 0x20, .. EpochTime], [68, 8, 9, 0x30, .. EpochTime]),
        Through("an option that nobody knows is sent on as it is", [94, 4, 1, 2], [94, 4, 1, 2]),
        Problem("a hop too many to be counted", [68, 8, 9, 0xF0, .. EpochTime], 23),
        Problem("a record whose last entry is cut", [7, 6, 4, 0, 0, 0, 0, 0], 22),
        Problem("a pair of address and time that is cut", [68, 8, 5, 1, .. s_none], 22),
        new(
            "an error echoes a record that came before what is wrong, as far as it was filled in",
            In(s_through with { Ipv4Options = (byte[])[7, 7, 4, .. s_none, 7] }).Answers(
                DropReason.Ipv4OptionsInvalid,
                Error(IcmpType.ParameterProblem, 0, s_through with { Ipv4Options = (byte[])[7, 7, 8, .. s_lb, 7] }, 27u << 24) with
                {
                    Source = SmallSwarm.Lb,
                    Payload = Quoted(s_through, [7, 7, 4, .. s_none, 7], [7, 7, 8, .. s_lb, 7]),
                    Ipv4Options = (byte[])[7, 7, 8, .. s_lb, 0],
                })),
        new(
            "IPVS sends a record on with the virtual address in it",
            In(Syn with { Ipv4Options = (byte[])[7, 11, 4, .. s_none, .. s_none, 0] })
                .Becomes(SynSent with { Ipv4Options = (byte[])[7, 11, 8, .. s_vip, .. s_none, 0] })),
        new(
            "a reply of a server records the load balancer",
            Open,
            In(PacketBuilder.Tcp(Server, Lb, SynAck, 5000, 1001) with { Ipv4Options = (byte[])[7, 7, 4, .. s_none, 0] })
                .Becomes(PacketBuilder.Tcp(Vip, Client, SynAck, 5000, 1001) with
                {
                    TimeToLive = 63,
                    Ipv4Options = (byte[])[7, 7, 8, .. s_lb, 0],
                })),
        new(
            "an echo's reply has the record, with the load balancer on its way back",
            In(s_echo with { Ipv4Options = (byte[])[7, 11, 4, .. s_none, .. s_none, 0] })
                .Answers(DropReason.None, s_reply with { Ipv4Options = (byte[])[7, 11, 12, .. s_vip, .. s_vip, 0] })),
        new(
            "an echo's reply has the times of both ways",
            In(s_echo with { Ipv4Options = (byte[])[68, 12, 5, 0, .. s_none, .. s_none] })
                .Answers(DropReason.None, s_reply with { Ipv4Options = (byte[])[68, 12, 13, 0, .. EpochTime, .. EpochTime] })),
        new(
            "an echo's reply has addresses and times of both ways",
            In(s_echo with { Ipv4Options = (byte[])[68, 20, 5, 1, .. s_none, .. s_none, .. s_none, .. s_none] })
                .Answers(DropReason.None, s_reply with
                {
                    Ipv4Options = (byte[])[68, 20, 21, 1, .. s_vip, .. EpochTime, .. s_vip, .. EpochTime],
                })),
        new(
            "an echo whose record has half an entry left is not answered",
            In(s_echo with { Ipv4Options = (byte[])[7, 9, 4, .. s_none, 0, 0, 0, 0, 0] }).Drops(DropReason.Ipv4OptionsInvalid)),
        new(
            "a RST has the record of the segment that it refuses",
            In(PacketBuilder.Tcp(Client, SmallSwarm.Lb + ":9", TcpFlags.Syn, 1000) with { Ipv4Options = (byte[])[7, 7, 4, .. s_none, 0] })
                .Answers(DropReason.LocalNoListener, PacketBuilder.Tcp(SmallSwarm.Lb + ":9", Client, RstAck, 0, 1001) with
                {
                    Window = 0,
                    Ipv4Options = (byte[])[7, 7, 8, .. s_lb, 0],
                })),
        new(
            "a later fragment keeps only what is to be copied",
            In(Part(0, 64, [7, 7, 4, .. s_none, 148, 4, 0, 0, 0])).Ends(Verdict.Held, DropReason.FragmentHeld),
            In(Part(64, 104, [148, 4, 0, 0])).Ends(Verdict.Forwarded, DropReason.None)
                .With(Sent(Part(0, 64, [7, 7, 8, .. s_lb, 148, 4, 0, 0, 0])))
                .With(Sent(Part(64, 104, [1, 1, 1, 1, 1, 1, 1, 148, 4, 0, 0, 0])))),
    ];

    private static PathCase Through(string description, byte[] before, byte[] after) => new(
        description, In(s_through with { Ipv4Options = before }).Becomes(s_through with { TimeToLive = 63, Ipv4Options = after }));

    private static PathCase Problem(string description, byte[] options, int at)
    {
        PacketBuilder packet = s_through with { Ipv4Options = options };
        return new(description, In(packet).Answers(
            DropReason.Ipv4OptionsInvalid, Error(IcmpType.ParameterProblem, 0, packet, (uint)at << 24) with { Source = SmallSwarm.Lb }));
    }

    // The header's checksum is that of the options as they came.
    private static byte[] Quoted(PacketBuilder packet, byte[] before, byte[] after)
    {
        const int OptionsOffset = 20;
        byte[] bytes = (packet with { Ipv4Options = before }).BuildPacket();
        after.CopyTo(bytes, OptionsOffset);
        return bytes;
    }

    private static PacketBuilder Part(int start, int end, byte[] options) =>
        OverlayFragmentCases.Fragment(s_through with { DontFragment = false, Payload = Bytes(96) }, start, end) with { Ipv4Options = options };

    private static PacketBuilder Sent(PacketBuilder part) => SmallSwarm.FromBalancer(part with { TimeToLive = 63 });
}
