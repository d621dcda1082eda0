using FastPathLb.Pipeline;
using FastPathLb.TestKit;
using FastPathLb.Wire;
using static FastPathLb.Balancer.Tests.Paths.PathStep;
using static FastPathLb.Balancer.Tests.Paths.Traffic;

namespace FastPathLb.Balancer.Tests.Paths;

/// <summary>What the load balancer learns of the way to somebody, and for whom it counts.</summary>
internal static class MtuCases
{
    private const int EchoBytes = 1000;
    private const int MessageBytes = EchoBytes + 8;
    private const ushort PathMtu = 700;
    private const ushort LittleMtu = 500;

    private static readonly PacketBuilder s_echo = PacketBuilder.Icmp(First, SmallSwarm.Lb, IcmpType.Echo, rest: 7, payload: Bytes(EchoBytes));

    private static readonly PacketBuilder s_reply =
        PacketBuilder.Icmp(SmallSwarm.Lb, First, IcmpType.EchoReply, rest: 7, payload: Bytes(EchoBytes)) with { DontFragment = false };

    // From the virtual address's client to its only server, which is who had pinged.
    private static readonly PacketBuilder s_long = PacketBuilder.Udp(Client, Vip, Bytes(800));

    private static readonly PacketBuilder s_through = PacketBuilder.Udp(Client, Server, Bytes(800));

    private static readonly SmallSwarm s_swarm = new() { Servers = [First] };

    public static IReadOnlyList<PathCase> All { get; } =
    [
        new(
            "an echo reply that was too long on its way is cut from then on, for ten minutes",
            Whole,
            Learn(PathMtu),
            In(s_echo).Ends(Verdict.Answered, DropReason.None).WithOwn(Part(0, 680)).WithOwn(Part(680, MessageBytes)),
            Whole with { After = 601 }),
        new(
            "a path MTU counts for what IPVS sends, not for what is forwarded",
            s_swarm,
            Learn(PathMtu),
            In(s_through).Becomes(s_through with { TimeToLive = 63 }),
            In(s_long).Answers(DropReason.FragmentationNeeded, Error(IcmpType.DestinationUnreachable, 4, s_long with { TimeToLive = 63 }, PathMtu) with
            {
                Payload = (s_long with { TimeToLive = 63 }).BuildPacket().AsMemory(0, 548),
            })),
        new(
            "of a path MTU too small to believe nobody's packets are spared",
            s_swarm,
            Learn(LittleMtu),
            In(s_through).Answers(DropReason.FragmentationNeeded, Error(IcmpType.DestinationUnreachable, 4, s_through, 552) with
            {
                Source = SmallSwarm.Lb,
                Payload = s_through.BuildPacket().AsMemory(0, 548),
            })),
        new(
            "an error about somebody else's packet teaches nothing",
            In(ErrorAbout(SynSent.BuildPacket(), "10.0.1.1", SmallSwarm.Lb, IcmpType.DestinationUnreachable, 4, PathMtu))
                .Ends(Verdict.Consumed, DropReason.LocalIcmpUnserved),
            Whole),
    ];

    private static PathStep Whole => In(s_echo).Answers(DropReason.None, s_reply);

    private static PathStep Learn(ushort mtu) =>
        In(ErrorAbout(s_reply.BuildPacket()[..28], "10.0.1.1", SmallSwarm.Lb, IcmpType.DestinationUnreachable, 4, mtu))
            .Ends(Verdict.Consumed, DropReason.LocalDeliveredToStack);

    private static PacketBuilder Part(int start, int end) => SmallSwarm.FromBalancer(OverlayFragmentCases.Fragment(s_reply, start, end));
}
