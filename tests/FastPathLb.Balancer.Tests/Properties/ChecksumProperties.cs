using FastPathLb.TestKit;
using FastPathLb.Wire;
using FsCheck;
using FsCheck.Fluent;

namespace FastPathLb.Balancer.Tests.Properties;

/// <summary>A transport checksum that was right on entry is right on exit; one that was wrong is wrong by as much.</summary>
public sealed class ChecksumProperties
{
    private const int EthernetBytes = 14;

    public sealed record Segment(IpProtocol Protocol, int Port, ushort Error, byte[] Payload);

    [Fact]
    public void An_error_of_a_checksum_is_carried_through_both_ways()
    {
        using TestBalancer balancer = new(new SmallSwarm { Capacity = 1 << 16 });
        int checkedCount = 0;
        Check.One(Seeded.Config(3000, 3), Prop.ForAll(Segments(), segment =>
        {
            PacketBuilder packet = Make(segment, $"{SmallSwarm.Client}:{segment.Port}", $"{SmallSwarm.Vip}:80", TcpFlags.Syn);
            byte[] sent = Carries(balancer, packet, ref checkedCount);
            if (sent.Length > 0)
            {
                Endpoint server = new(Ipv4Address.Read(sent.AsSpan(30)), 80);
                PacketBuilder reply = Make(segment, server, $"{SmallSwarm.Lb}:{segment.Port}", TcpFlags.Syn | TcpFlags.Ack);
                Carries(balancer, reply, ref checkedCount);
            }
        }));
        Assert.True(checkedCount > 4000, $"only {checkedCount} frames were compared");
    }

    private static Arbitrary<Segment> Segments() => Gen.Zip(
        Gen.Zip(Gen.Elements(IpProtocol.Tcp, IpProtocol.Udp), Gen.Choose(1024, 65535)),
        Gen.Zip(
            Gen.Frequency((1, Gen.Constant(0)), (3, Gen.Choose(1, 65534))),
            Gen.Choose(0, 300).SelectMany(count => Gen.ArrayOf(Gen.Choose(0, 255).Select(value => (byte)value), count))),
        (kind, rest) => new Segment(kind.Item1, kind.Item2, (ushort)rest.Item1, rest.Item2)).ToArbitrary();

    private static PacketBuilder Make(Segment segment, Endpoint from, Endpoint to, TcpFlags flags) =>
        (segment.Protocol == IpProtocol.Tcp
            ? PacketBuilder.Tcp(from, to, flags, 1000, (flags & TcpFlags.Ack) != 0 ? 1001 + (uint)segment.Payload.Length : 0)
            : PacketBuilder.Udp(from, to)) with
        {
            Payload = segment.Payload,
            Checksum = segment.Error == 0 ? ChecksumKind.Right : ChecksumKind.Wrong,
            ChecksumError = segment.Error,
        };

    // What was sent, or nothing where the packet is a case of its own.
    private static byte[] Carries(TestBalancer balancer, PacketBuilder packet, ref int count)
    {
        byte[] frame = SmallSwarm.ToBalancer(packet).Build();
        if (IsSpecial(frame))
        {
            return [];
        }

        ushort before = Residue(frame);
        Sent sent = balancer.Send(frame);
        if (sent.Frames.Count != 1 || sent.Verdict != Pipeline.Verdict.Forwarded)
        {
            // The same port again, or a reply that conntrack does not believe.
            return [];
        }

        Assert.True(Ipv4Header.TryParse(sent.Frame.AsSpan(EthernetBytes), out Ipv4Header ipv4) && ipv4.IsChecksumCorrect);
        Assert.Equal(before, Residue(sent.Frame));
        count++;
        return sent.Frame;
    }

    /// <summary>How far the sum over a segment is from right, in one's complement: 0xFFFF and 0 are the same.</summary>
    private static ushort Residue(byte[] frame)
    {
        Assert.True(Ipv4Header.TryParse(frame.AsSpan(EthernetBytes), out Ipv4Header ipv4));
        uint pseudo = InternetChecksum.PseudoHeaderSum(ipv4.Source, ipv4.Destination, ipv4.Protocol, ipv4.Payload.Length);
        ushort sum = InternetChecksum.Fold(InternetChecksum.Sum(ipv4.Payload, pseudo));
        return sum == 0 ? ushort.MaxValue : sum;
    }

    // No checksum, or one that looks as if a network card had still to finish it.
    private static bool IsSpecial(byte[] frame)
    {
        Assert.True(Ipv4Header.TryParse(frame.AsSpan(EthernetBytes), out Ipv4Header ipv4));
        int offset = ipv4.Protocol == IpProtocol.Tcp ? TcpHeader.ChecksumOffset : UdpHeader.ChecksumOffset;
        ushort field = (ushort)((ipv4.Payload[offset] << 8) | ipv4.Payload[offset + 1]);
        uint pseudo = InternetChecksum.PseudoHeaderSum(ipv4.Source, ipv4.Destination, ipv4.Protocol, ipv4.Payload.Length);
        return field == InternetChecksum.Fold(pseudo) || (ipv4.Protocol == IpProtocol.Udp && field == 0);
    }
}
