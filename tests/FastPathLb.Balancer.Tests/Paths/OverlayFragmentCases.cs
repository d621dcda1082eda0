using FastPathLb.Pipeline;
using FastPathLb.TestKit;
using FastPathLb.Wire;
using static FastPathLb.Balancer.Tests.Paths.PathStep;
using static FastPathLb.Balancer.Tests.Paths.Traffic;

namespace FastPathLb.Balancer.Tests.Paths;

/// <summary>Fragments: put together before ports are looked at, cut again where they were cut.</summary>
internal static class OverlayFragmentCases
{
    private const string Server53 = First + ":53";
    private const string Client53 = SmallSwarm.Client + ":5353";
    private const string Vip53 = SmallSwarm.Vip + ":53";
    private const string Lb53 = SmallSwarm.Lb + ":5353";

    private static readonly PacketBuilder s_datagram = PacketBuilder.Udp(Client53, Vip53, Bytes(72)) with { DontFragment = false };
    private static readonly PacketBuilder s_sent = PacketBuilder.Udp(Lb53, Server53, Bytes(72)) with { DontFragment = false, TimeToLive = 63 };

    public static IReadOnlyList<PathCase> All { get; } =
    [
        new(
            "two fragments are held, put together, translated and cut where they were",
            In(Fragment(s_datagram, 0, 40)).Ends(Verdict.Held, DropReason.FragmentHeld),
            In(Fragment(s_datagram, 40, 80)).Ends(Verdict.Forwarded, DropReason.None)
                .With(Sent(0, 40)).With(Sent(40, 80))),
        new(
            "fragments in the wrong order leave in the right one",
            In(Fragment(s_datagram, 56, 80)).Ends(Verdict.Held, DropReason.FragmentHeld),
            In(Fragment(s_datagram, 0, 24)).Ends(Verdict.Held, DropReason.FragmentHeld),
            In(Fragment(s_datagram, 24, 56)).Ends(Verdict.Forwarded, DropReason.None)
                .With(Sent(0, 24)).With(Sent(24, 56)).With(Sent(56, 80))),
        new(
            "a fragment that comes twice is passed over",
            In(Fragment(s_datagram, 0, 40)).Ends(Verdict.Held, DropReason.FragmentHeld),
            In(Fragment(s_datagram, 0, 40)).Drops(DropReason.FragmentInvalid),
            In(Fragment(s_datagram, 40, 80)).Ends(Verdict.Forwarded, DropReason.None)
                .With(Sent(0, 40)).With(Sent(40, 80))),
        new(
            "a datagram that overlaps itself is given up",
            In(Fragment(s_datagram, 0, 40)).Ends(Verdict.Held, DropReason.FragmentHeld),
            In(Fragment(s_datagram, 32, 80)).Drops(DropReason.FragmentOverlap),
            In(Fragment(s_datagram, 40, 80)).Ends(Verdict.Held, DropReason.FragmentHeld)),
        new(
            "a fragment without a byte is no fragment",
            In(Fragment(s_datagram, 40, 40)).Drops(DropReason.FragmentInvalid)),
        new(
            "a fragment beyond the largest datagram is no fragment",
            In(Fragment(s_datagram, 40, 80) with { FragmentOffsetBytes = 65528 }).Drops(DropReason.FragmentInvalid)),
        new(
            "fragments of other datagrams are kept apart",
            In(Fragment(s_datagram, 0, 40)).Ends(Verdict.Held, DropReason.FragmentHeld),
            In(Fragment(s_datagram, 40, 80) with { Identification = 0x4321 }).Ends(Verdict.Held, DropReason.FragmentHeld),
            In(Fragment(s_datagram, 40, 80) with { Source = SmallSwarm.OtherClient }).Ends(Verdict.Held, DropReason.FragmentHeld),
            In(Fragment(s_datagram, 40, 80)).Ends(Verdict.Forwarded, DropReason.None)
                .With(Sent(0, 40)).With(Sent(40, 80))),
        new(
            "a fragment that the capture cut cannot be put together",
            In(SmallSwarm.ToBalancer(Fragment(s_datagram, 0, 40)).Build()[..60], wireLengthBytes: 74).Drops(DropReason.FrameTruncatedByCapture)),
        new(
            "sixty-four datagrams are waited for, not more",
            [
                .. Enumerable.Range(1, 64).Select(identification =>
                    In(Fragment(s_datagram, 0, 40) with { Identification = (ushort)identification }).Ends(Verdict.Held, DropReason.FragmentHeld)),
                In(Fragment(s_datagram, 0, 40) with { Identification = 65 }).Drops(DropReason.ReassemblyLimit),
                (In(Fragment(s_datagram, 0, 40) with { Identification = 65 }) with { After = 31 }).Ends(Verdict.Held, DropReason.FragmentHeld),
            ]),
        new(
            "a reply's fragments find their way back",
            Open,
            In(PacketBuilder.Udp(Client53, Vip53, Text("?")))
                .Becomes(PacketBuilder.Udp(Lb53, Second + ":53", Text("?")) with { TimeToLive = 63 }),
            In(Fragment(PacketBuilder.Udp(Second + ":53", Lb53, Bytes(72)) with { DontFragment = false }, 0, 40))
                .Ends(Verdict.Held, DropReason.FragmentHeld),
            In(Fragment(PacketBuilder.Udp(Second + ":53", Lb53, Bytes(72)) with { DontFragment = false }, 40, 80))
                .Ends(Verdict.Forwarded, DropReason.None)
                .With(Reply(0, 40)).With(Reply(40, 80))),
    ];

    /// <summary>Bytes from one place of a datagram's IPv4 payload to another, as a fragment of it.</summary>
    internal static PacketBuilder Fragment(PacketBuilder whole, int start, int end)
    {
        byte[] packet = whole.BuildPacket();
        byte[] payload = packet[(Ipv4Header.MinimumLengthBytes + start)..(Ipv4Header.MinimumLengthBytes + end)];
        bool isLast = Ipv4Header.MinimumLengthBytes + end == packet.Length;

        // What a fragment has is bytes: ports and sums are those of the whole.
        return PacketBuilder.Other(whole.Source, whole.Destination, whole.Protocol, payload) with
        {
            IsRawPayload = true,
            TimeToLive = whole.TimeToLive,
            Identification = whole.Identification,
            DontFragment = whole.DontFragment,
            FragmentOffsetBytes = start,
            MoreFragments = !isLast,
        };
    }

    private static PacketBuilder Sent(int start, int end) => SmallSwarm.FromBalancer(Fragment(s_sent, start, end));

    private static PacketBuilder Reply(int start, int end) => SmallSwarm.FromBalancer(Fragment(
        PacketBuilder.Udp(Vip53, Client53, Bytes(72)) with { DontFragment = false, TimeToLive = 63 }, start, end));
}
