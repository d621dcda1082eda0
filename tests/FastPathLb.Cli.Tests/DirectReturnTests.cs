using System.Buffers.Binary;
using FastPathLb.Io.Captures;

namespace FastPathLb.Cli.Tests;

/// <summary>
/// What clients of the real swarm called, on a node whose network was made with <c>--opt dsr</c> in a swarm with a <c>--data-path-port</c>:
/// known by Docker's own files alone.
/// </summary>
public sealed class DirectReturnTests : IDisposable
{
    private const string VniOption = "\"com.docker.network.driver.overlay.vxlanid_list\"";
    private const int TimeToLiveOffset = 22;
    private const int DestinationOffset = 30;
    private const uint Vip = 0x0A000102;

    private readonly TemporaryFolder _folder = new();

    public DirectReturnTests()
    {
        foreach (string name in (string[])["network-inspect-v.mynet.json", "network-inspect-v.ingress.json", "service-inspect.json", "node-ls.txt"])
        {
            string text = File.ReadAllText(Path.Combine(CapturesFolder.Folder("swarm-web"), name));
            _folder.Write(name, name.Contains("mynet") ? text.Replace(VniOption, $"\"dsr\": \"\", {VniOption}") : text);
        }

        string own = File.ReadAllLines(_folder["node-ls.txt"]).Single(line => line.Contains(" * ")).Split(' ')[0];
        _folder.Write(
            "docker-info.json",
            $$"""{"Swarm":{"NodeID":"{{own}}","NodeAddr":"172.19.177.14","Cluster":{"DataPathPort":4790} } }""");
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Calls_are_handed_on_as_they_are_but_for_TTL_and_MACs()
    {
        List<CapturedBytes> calls =
        [
            .. CapturedBytes.Read(Path.Combine(CapturesFolder.Folder("swarm-web"), "lb-eth0.pcap.gz")).Where(IsCall),
        ];
        Assert.True(calls.Count > 100);
        string input = _folder["calls.pcap"];
        using (CaptureWriter writer = CaptureWriter.Create(input))
        {
            calls.ForEach(call => writer.Write(call.TimestampNanoseconds, call.Data));
        }

        string output = _folder["out.pcap"];
        CommandRun run = CommandRun.Of("replay", input, "--node", _folder.Root, "--attach", "overlay", "-o", output, "--rr-start", "0");

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.Contains("no SNAT, for servers answer clients themselves", run.Output);
        List<CapturedBytes> passed = CapturedBytes.Read(output);
        Assert.Equal(calls.Select(call => Convert.ToHexString(Rest(call.Data))), passed.Select(frame => Convert.ToHexString(Rest(frame.Data))));
        Assert.All(calls.Zip(passed), pair => Assert.Equal(pair.First.Data[TimeToLiveOffset] - 1, pair.Second.Data[TimeToLiveOffset]));

        // Both tasks had their turn, by their MACs; the load balancer sent it all.
        Assert.Equal(["02420A000103", "02420A000104"], passed.Select(frame => Convert.ToHexString(frame.Data[..6])).Distinct().Order());
        Assert.All(passed, frame => Assert.Equal("02420A000106", Convert.ToHexString(frame.Data[6..12])));
        Assert.Matches(@"FWM  257  10\.0\.1\.2  web +rr +\d+ +[\d,]+ +0 +[\d,]+ +0\n", run.Output);
    }

    [Fact]
    public void Topology_says_so_and_lint_finds_nothing_wrong_with_it()
    {
        CommandRun topology = CommandRun.Of("topology", "--node", _folder.Root, "--svg", _folder["swarm.svg"]);

        Assert.Equal(ExitCode.Success, topology.Code);
        Assert.Matches("Network mynet: overlay, .*VNI 4097, UDP 4790, .*direct return", topology.Output);
        Assert.Matches(@"node1 \*  172\.19\.177\.14 +Ready +Leader ", topology.Output);
        Assert.Matches(@"node2 +172\.19\.188\.123 +Ready ", topology.Output);
        string picture = File.ReadAllText(_folder["swarm.svg"]);
        Assert.Contains(">direct return<", picture);
        Assert.Contains("VXLAN on UDP 4790", picture);
        Assert.Contains("but where it says direct return", picture);
        Assert.Equal(ExitCode.Success, CommandRun.Of("lint", "--node", _folder.Root).Code);
    }

    private static bool IsCall(CapturedBytes frame) => frame.Data.Length > DestinationOffset + 4
        && BinaryPrimitives.ReadUInt16BigEndian(frame.Data.AsSpan(12)) == 0x0800
        && BinaryPrimitives.ReadUInt32BigEndian(frame.Data.AsSpan(DestinationOffset)) == Vip
        && frame.Data[23] == 6;

    // All behind the MACs, without TTL and the IPv4 header's sum.
    private static byte[] Rest(byte[] frame) => [.. frame[12..TimeToLiveOffset], frame[23], .. frame[26..]];
}
