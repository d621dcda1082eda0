using System.Security.Cryptography;
using FastPathLb.Balancer;
using FastPathLb.Balancer.Netfilter;
using FastPathLb.Engine.Building;
using FastPathLb.Engine.Placing;
using FastPathLb.Live.Control;
using FastPathLb.Live.Devices;
using FastPathLb.Live.Recording;
using FastPathLb.Live.Running;
using FastPathLb.NodeState;
using FastPathLb.Wire;
using static FastPathLb.Cli.Options.Words;
using NodeDump = FastPathLb.NodeState.NodeState;

namespace FastPathLb.Cli.Options;

/// <summary>Finds out what the options of a live run mean.</summary>
internal static class RunPlanner
{
    private const int RingFilesDefault = 10;
    private const long BytesPerMegabyte = 1_000_000;

    /// <summary>Makes a plan.</summary>
    /// <exception cref="UsageException">The options do not go together, or something is missing.</exception>
    /// <exception cref="NodeStateException">A dump or configuration is wrong.</exception>
    public static RunPlan Plan(RunArguments typed)
    {
        string[] devices = [.. new[] { typed.Tap, typed.Packet, typed.Xdp }.OfType<string>()];
        if (devices.Length != 1)
        {
            throw new UsageException(
                $"one of --tap NAME, --af-packet IF and --af-xdp IF is expected, found {(devices.Length == 0 ? "none" : "several")}");
        }

        if (typed.NodeFolder is null == typed.ConfigFile is null)
        {
            throw new UsageException("which load balancer? one of --node DIR (a folder of dumps) and --config FILE (YAML) is expected");
        }

        if (typed.Workers is > LiveWorker.CountMax)
        {
            throw new UsageException($"--workers {typed.Workers}: 1 to {LiveWorker.CountMax} is expected");
        }

        if (typed.Recording is null && (typed.RecordingFiles is not null || typed.RecordingMegabytes is not null))
        {
            throw new UsageException("--pcap-size and --pcap-files need --pcap FILE");
        }

        if (typed.RecordingFiles is not null && typed.RecordingMegabytes is null)
        {
            throw new UsageException("--pcap-files needs --pcap-size N: when to begin the next file");
        }

        if (typed.Xdp is null && (typed.Queue is not null || typed.ZeroCopy is not null))
        {
            throw new UsageException("--queue and --zero-copy are for --af-xdp");
        }

        ProcessorList? processors = PlacementOptions.ProcessorsOf(typed.Processors, typed.Workers ?? 1);
        NodeSource source = new(typed.NodeFolder ?? typed.ConfigFile!);
        NodeDump node = source.Load();
        LoadBalancerOptions balancer = Options(typed);
        SchedulerCheck.Check(node, balancer.NamespaceName, [], null);
        return new RunPlan
        {
            Live = new LiveOptions
            {
                Source = source,
                Balancer = balancer,
                Recording = typed.Recording is null ? null : new RecordingOptions(typed.Recording)
                {
                    FileBytesMax = (typed.RecordingMegabytes ?? 0) * BytesPerMegabyte,
                    FileCount = typed.RecordingFiles ?? (typed.RecordingMegabytes is null ? 1 : RingFilesDefault),
                },
                ControlPath = typed.HasNoControl ? null : typed.Control ?? ControlClient.PathOf(devices[0]),
                WatchesFiles = !typed.WatchesNot,
                Processors = processors,
                IsBusyPolling = typed.IsBusyPolling,
            },
            Node = node,
            OpenQueues = clock => Open(typed, clock, node, balancer),
            Dns = typed.Dns is null ? null : DnsAddress.Parse("--dns", typed.Dns, DnsAddress.PortDefault),
            Metrics = typed.Metrics,
            Otlp = typed.Otlp is null ? null
                : Uri.TryCreate(typed.Otlp, UriKind.Absolute, out Uri? endpoint) ? endpoint
                : throw new UsageException($"--otlp {typed.Otlp}: a URL is expected, such as http://127.0.0.1:4318/v1/metrics"),
            ShowsTop = typed.ShowsTop,
        };
    }

    private static IReadOnlyList<ILiveDevice> Open(RunArguments typed, LiveClock clock, NodeDump node, LoadBalancerOptions balancer)
    {
        int workers = typed.Workers ?? 1;
        if (typed.Tap is { } tap)
        {
            return TapDevice.OpenQueues(tap, clock, workers, typed.Mtu ?? MtuOf(node, balancer), MacOf(typed.Mac));
        }

        if (typed.Mtu is not null)
        {
            throw new UsageException("--mtu is for --tap; 'ip link set IF mtu N' sets that of another interface");
        }

        if (typed.Mac is not null)
        {
            throw new UsageException("--mac is for --tap; 'ip link set IF address MAC' sets that of another interface");
        }

        return typed.Xdp is { } xdp
            ? XdpDevice.OpenQueues(xdp, clock, workers, typed.Queue ?? 0, ZeroCopyOf(typed.ZeroCopy), typed.IsBusyPolling)
            : PacketDevice.OpenQueues(typed.Packet!, clock, workers);
    }

    private static MacAddress? MacOf(string? text) => text is null ? null
        : MacAddress.TryParse(text, out MacAddress mac) && !mac.IsMulticast && !mac.IsZero ? mac
        : throw new UsageException($"--mac {text}: the hardware address of one host is expected, such as 02:42:0a:00:01:fe");

    private static bool? ZeroCopyOf(string? word) => word switch
    {
        Always => true,
        Never => false,
        _ => null,
    };

    /// <summary>The MTU of the interface that the device stands for.</summary>
    private static int? MtuOf(NodeDump node, LoadBalancerOptions balancer)
    {
        string name = balancer.AttachPoint == AttachPoint.Underlay ? "host" : balancer.NamespaceName;
        return node.Namespaces.TryGetValue(name, out NamespaceState? space)
            ? space.Interfaces.FirstOrDefault(device => device.Kind != "loopback" && device.Name != "lo")?.Mtu
            : null;
    }

    private static LoadBalancerOptions Options(RunArguments typed)
    {
        LoadBalancerOptions usual = new();
        return usual with
        {
            AttachPoint = typed.Attach == Underlay ? AttachPoint.Underlay : AttachPoint.Overlay,
            Capacity = typed.Capacity ?? usual.Capacity,
            Memory = PlacementOptions.MemoryOf(typed.Memory),

            // Frames come from strangers: nobody may know which connections collide.
            Seed = typed.Seed ?? BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))),
            PortPolicy = typed.SourcePorts == NextFree ? SourcePortPolicy.NextFree : SourcePortPolicy.Drawn,
        };
    }
}
