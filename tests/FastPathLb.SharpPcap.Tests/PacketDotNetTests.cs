using FastPathLb.Io.Captures;
using Xunit.Abstractions;

namespace FastPathLb.SharpPcap.Tests;

public sealed class PacketDotNetTests(ITestOutputHelper output)
{
    private const int DifferencesShown = 20;
    private const int Seed = 20251;
    private const int DamagedFramesMax = 5_000;
    private const int DamagedBytesMax = 128;

    // Frames of each kind, and the offsets of their reserved bytes, to which neither side gives a name.
    private static readonly Dictionary<string, (byte[] Frame, int[] Unnamed)> s_samples = new()
    {
        ["ARP"] = (SampleFrames.ArpRequest(), []),
        ["ICMP"] = (SampleFrames.EchoRequest(1), []),
        ["802.1Q"] = (SampleFrames.TaggedEchoRequest(), []),
        ["TCP with options"] = (SampleFrames.TcpSyn(), []),
        ["VXLAN with TCP"] = (SampleFrames.Vxlan(SampleFrames.TcpSyn()), [43, 44, 45, 49]),
        ["IPv6"] = (SampleFrames.Ipv6RouterSolicitation(), []),
    };

    public static TheoryData<string> Captures => Recordings.All;

    public static TheoryData<string> SampleKinds => [.. s_samples.Keys];

    [Theory]
    [MemberData(nameof(Captures))]
    public void Every_header_of_a_capture_reads_as_PacketDotNet_reads_it(string capture)
    {
        var comparison = new PacketDotNetComparison();
        using CaptureReader reader = CaptureReader.Open(Recordings.PathOf(capture));
        while (reader.TryRead(out CapturedFrame frame))
        {
            comparison.Compare($"frame {frame.RecordNumber}", frame.LinkType, frame.Data);
        }

        Report(comparison);
        Assert.True(reader.RecordsRead == 0 || comparison.Findings.Compared.Count > 0, "nothing was compared");
    }

    [Theory]
    [MemberData(nameof(Captures))]
    public void A_damaged_capture_reads_as_PacketDotNet_reads_it(string capture)
    {
        var random = new Random(Seed);
        var comparison = new PacketDotNetComparison();
        using CaptureReader reader = CaptureReader.Open(Recordings.PathOf(capture));
        while (reader.TryRead(out CapturedFrame frame) && frame.RecordNumber <= DamagedFramesMax)
        {
            byte[] damaged = frame.Data.ToArray();
            int offset = random.Next(Math.Min(damaged.Length, DamagedBytesMax));
            damaged[offset] = (byte)random.Next(byte.MaxValue + 1);
            int lengthBytes = random.Next(4) == 0 ? random.Next(damaged.Length) : damaged.Length;
            comparison.Compare(
                $"frame {frame.RecordNumber}, byte {offset} = {damaged[offset]}, {lengthBytes} bytes",
                frame.LinkType,
                damaged.AsSpan(0, lengthBytes));
        }

        Report(comparison);
    }

    // The control: a comparison that finds no difference must be one that would.
    [Theory]
    [MemberData(nameof(SampleKinds))]
    public void A_changed_byte_is_found(string kind)
    {
        (byte[] frame, int[] unnamed) = s_samples[kind];
        var same = new PacketDotNetComparison();
        same.Compare(kind, LinkType.Ethernet, frame);
        Report(same);

        for (int offset = 0; offset < frame.Length; offset++)
        {
            byte[] changed = [.. frame];
            changed[offset] ^= 0xFF;
            var comparison = new PacketDotNetComparison();
            comparison.Compare(kind, LinkType.Ethernet, frame, changed);
            Assert.True(comparison.Findings.Differences.Count > 0 || unnamed.Contains(offset), $"{kind}: a change of byte {offset} is not found");
        }
    }

    private void Report(PacketDotNetComparison comparison)
    {
        foreach ((string header, int count) in comparison.Findings.Compared)
        {
            output.WriteLine($"{count,8} compared: {header}");
        }

        foreach ((string reason, int count) in comparison.Findings.Passed)
        {
            output.WriteLine($"{count,8} passed over: {reason}");
        }

        Assert.True(
            comparison.Findings.Differences.Count == 0,
            $"{comparison.Findings.Differences.Count} differences:\n{string.Join('\n', comparison.Findings.Differences.Take(DifferencesShown))}");
    }
}
