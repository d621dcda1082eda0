using System.Buffers.Binary;
using FastPathLb.Balancer;
using FastPathLb.Wire;

namespace FastPathLb.Engine.Verifying;

/// <summary>
/// Are the frames emitted those that the recording's load balancer sent? Compared per flow in order, byte by byte, but for what
/// the kernel draws at random: the outer source port, the outer IPv4 identification, the identification of packets that the load
/// balancer itself originates, and their sums. The load balancer's own ARP requests are left out.
/// </summary>
public sealed class FrameComparison
{
    private const int EthernetBytes = 14;
    private const int EnvelopeBytes = 50;

    private readonly Dictionary<string, (List<RecordedFrame> Expected, List<RecordedFrame> Actual)> _flows =
        new(StringComparer.Ordinal);

    private readonly AttachPoint _attachPoint;

    /// <summary>Makes a comparison of frames at an attach point.</summary>
    public FrameComparison(AttachPoint attachPoint) => _attachPoint = attachPoint;

    /// <summary>Frames expected.</summary>
    public int ExpectedCount { get; private set; }

    /// <summary>Frames emitted.</summary>
    public int ActualCount { get; private set; }

    /// <summary>Adds a frame that the recording's load balancer sent.</summary>
    public void AddExpected(ReadOnlySpan<byte> frame, long timestampNanoseconds, long number)
    {
        if (KeyOf(frame) is { } key)
        {
            ExpectedCount++;
            FlowOf(key).Expected.Add(new RecordedFrame(frame.ToArray(), timestampNanoseconds, number));
        }
    }

    /// <summary>Adds a frame that was emitted.</summary>
    public void AddActual(ReadOnlySpan<byte> frame, long timestampNanoseconds, long number)
    {
        if (KeyOf(frame) is { } key)
        {
            ActualCount++;
            FlowOf(key).Actual.Add(new RecordedFrame(frame.ToArray(), timestampNanoseconds, number));
        }
    }

    /// <summary>Compares.</summary>
    public FrameVerdict Compare()
    {
        int same = 0;
        List<FrameDifference> differences = [];
        foreach ((string flow, (List<RecordedFrame> expected, List<RecordedFrame> actual)) in _flows)
        {
            for (int index = 0; index < Math.Max(expected.Count, actual.Count); index++)
            {
                RecordedFrame? wanted = index < expected.Count ? expected[index] : null;
                RecordedFrame? emitted = index < actual.Count ? actual[index] : null;
                if (wanted is not null && emitted is not null && IsSame(wanted.Bytes, emitted.Bytes))
                {
                    same++;
                }
                else
                {
                    differences.Add(new FrameDifference(flow, index, wanted, emitted));
                }
            }
        }

        differences.Sort((left, right) => left.TimestampNanoseconds.CompareTo(right.TimestampNanoseconds));
        return new FrameVerdict(ExpectedCount, ActualCount, same, differences);
    }

    private (List<RecordedFrame> Expected, List<RecordedFrame> Actual) FlowOf(string key)
    {
        if (!_flows.TryGetValue(key, out (List<RecordedFrame>, List<RecordedFrame>) flow))
        {
            flow = ([], []);
            _flows.Add(key, flow);
        }

        return flow;
    }

    /// <summary>The flow a frame belongs to, or null where it is not compared.</summary>
    private string? KeyOf(ReadOnlySpan<byte> frame)
    {
        string outer = string.Empty;
        ReadOnlySpan<byte> inner = frame;
        if (_attachPoint == AttachPoint.Underlay)
        {
            if (frame.Length < EnvelopeBytes || EtherTypeOf(frame) != EtherType.Ipv4 || frame[23] != (byte)IpProtocol.Udp
                || frame[14] != 0x45)
            {
                return null;
            }

            outer = $"{Ipv4Address.Read(frame[30..])} ";
            inner = frame[EnvelopeBytes..];
        }

        if (inner.Length < EthernetBytes)
        {
            return null;
        }

        if (EtherTypeOf(inner) == EtherType.Arp)
        {
            const int OperationOffset = EthernetBytes + 6;
            return inner.Length >= EthernetBytes + 8
                && BinaryPrimitives.ReadUInt16BigEndian(inner[OperationOffset..]) == (ushort)ArpOperation.Request ? null : outer + "arp";
        }

        if (EtherTypeOf(inner) != EtherType.Ipv4 || !Ipv4Header.TryParse(inner[EthernetBytes..], out Ipv4Header ipv4))
        {
            return $"{outer}0x{(ushort)EtherTypeOf(inner):x4}";
        }

        string addresses = $"{outer}{ipv4.Protocol} {ipv4.Source} > {ipv4.Destination}";
        ReadOnlySpan<byte> payload = ipv4.Payload;
        return ipv4.FragmentOffsetBytes > 0 ? $"{addresses} fragment {ipv4.Identification}"
            : ipv4.Protocol == IpProtocol.Icmp && payload.Length > 0 ? $"{addresses} type {payload[0]}"
            : payload.Length >= 4
                ? $"{addresses} {BinaryPrimitives.ReadUInt16BigEndian(payload)} {BinaryPrimitives.ReadUInt16BigEndian(payload[2..])}"
                : addresses;
    }

    private bool IsSame(byte[] expected, byte[] actual)
    {
        if (expected.Length != actual.Length)
        {
            return false;
        }

        byte[] left = Normalise(expected, _attachPoint);
        byte[] right = Normalise(actual, _attachPoint);
        return left.AsSpan().SequenceEqual(right);
    }

    /// <summary>A frame without what the kernel draws by chance.</summary>
    internal static byte[] Normalise(byte[] frame, AttachPoint attachPoint)
    {
        byte[] copy = [.. frame];
        int inner = 0;
        if (attachPoint == AttachPoint.Underlay)
        {
            // Outer identification, header checksum, source port and UDP checksum.
            copy.AsSpan(18, 2).Clear();
            copy.AsSpan(24, 2).Clear();
            copy.AsSpan(34, 2).Clear();
            copy.AsSpan(40, 2).Clear();
            inner = EnvelopeBytes;
        }

        Span<byte> packet = copy.AsSpan(inner);
        if (packet.Length >= EthernetBytes && EtherTypeOf(packet) == EtherType.Ipv4
            && Ipv4Header.TryParse(packet[EthernetBytes..], out Ipv4Header ipv4) && IsOriginated(ipv4))
        {
            packet.Slice(EthernetBytes + 4, 2).Clear();
            packet.Slice(EthernetBytes + 10, 2).Clear();
        }

        return copy;
    }

    // An echo reply, an error or a RST may be forwarded as well: then its identification is compared where both are alike anyway.
    private static bool IsOriginated(in Ipv4Header ipv4)
    {
        ReadOnlySpan<byte> payload = ipv4.Payload;
        return ipv4.Protocol switch
        {
            IpProtocol.Icmp => payload.Length > 0
                && (IcmpType)payload[0] is IcmpType.EchoReply or IcmpType.DestinationUnreachable or IcmpType.TimeExceeded
                    or IcmpType.Redirect,
            IpProtocol.Tcp => payload.Length > 13 && ((TcpFlags)payload[13] & TcpFlags.Rst) != 0,
            _ => false,
        };
    }

    private static EtherType EtherTypeOf(ReadOnlySpan<byte> frame) => (EtherType)BinaryPrimitives.ReadUInt16BigEndian(frame[12..]);
}
