using System.CommandLine;
using FastPathLb.Conntrack;
using FastPathLb.Live.Control;
using static FastPathLb.Cli.Options.Words;

namespace FastPathLb.Cli.Options;

/// <summary>The options of <c>run</c>.</summary>
internal sealed class RunOptions
{
    private const int CapacityMin = 16;
    private const int MtuMin = 68;

    private Option<string?> Tap { get; } = new("--tap")
    {
        HelpName = "NAME",
        Description = "A TAP device, made if it is not there; 'ip link set NAME master BRIDGE' plugs it in",
    };

    private Option<string?> Packet { get; } = new("--af-packet")
    {
        HelpName = "IF",
        Description = "An interface by AF_PACKET (TPACKET_V3), which works with every driver; it should have no address of the kernel's own",
    };

    private Option<string?> Xdp { get; } = new("--af-xdp")
    {
        HelpName = "IF",
        Description = "An interface by AF_XDP: the fastest; needs libxdp1 and libbpf1",
    };

    private Option<int?> Queue { get; } = OptionKinds.Number("--queue", "AF_XDP: the interface's receive queue, the first of several workers' (default 0)", 0);

    private Option<string?> ZeroCopy { get; } = OptionKinds.OneOf(
        "--zero-copy", "AF_XDP: whether the driver itself fills the frames' memory; auto takes it where the driver can", Auto, Always, Never);

    private Option<string?> NodeFolder { get; } = new("--node", "-n")
    {
        HelpName = "DIR",
        Description = "Folder of a node's dumps (lb.ip-addr.txt, lb.ipvsadm-save.txt, ...)",
    };

    private Option<string?> ConfigFile { get; } = new("--config", "-c") { HelpName = "FILE", Description = "YAML configuration instead of dumps" };

    private Option<string?> Attach { get; } = OptionKinds.OneOf(
        "--attach", "What the device is connected to: the overlay network (default), or the underlay, as the node's card with VXLAN",
        Underlay, Overlay);

    private Option<int?> Mtu { get; } = OptionKinds.Number("--mtu", "MTU of the TAP device in bytes (default: the configuration's)", MtuMin);

    private Option<string?> Mac { get; } = new("--mac")
    {
        HelpName = "MAC",
        Description = "Hardware address of the kernel's end of the TAP device (default: drawn by the kernel); the load balancer's own is the configuration's",
    };

    private Option<int?> Workers { get; } = OptionKinds.Number("--workers", "Threads that process frames, each with a queue of the device (default 1)", 1);

    private PlacementOptions Placement { get; } = new();

    private Option<string?> Recording { get; } = new("--pcap")
    {
        HelpName = "FILE",
        Description = "Record what passes, both directions: .pcap, .pcapng, with .gz compressed",
    };

    private Option<int?> RecordingMegabytes { get; } = OptionKinds.Number(
        "--pcap-size", "Begin another file, FILE.0.pcap, FILE.1.pcap ..., after so many megabytes", 1);

    private Option<int?> RecordingFiles { get; } = OptionKinds.Number(
        "--pcap-files", "Keep so many files of --pcap-size, the newest (default 10)", 1);

    private Option<string?> Dns { get; } = new("--dns")
    {
        HelpName = "ADDRESS[:PORT]",
        Description = "Answer names as Docker's embedded resolver does, at an address of this machine (port 53): clients with it as "
            + "nameserver can call http://SERVICE/",
    };

    private Option<string?> Metrics { get; } = new("--metrics")
    {
        HelpName = "ADDRESS:PORT",
        Description = "Serve metrics as Prometheus text, for example at 127.0.0.1:9464",
    };

    private Option<string?> Otlp { get; } = new("--otlp")
    {
        HelpName = "URL",
        Description = "Send metrics to an OTLP collector over HTTP, for example http://127.0.0.1:4318/v1/metrics",
    };

    private Option<string?> Control { get; } = new("--control")
    {
        HelpName = "PATH",
        Description = $"Control socket for 'fastpathlb ctl' (default {ControlClient.Folder}/DEVICE.sock)",
    };

    private Option<bool> NoControl { get; } = new("--no-control") { Description = "No control socket" };

    private Option<bool> NoWatch { get; } = new("--no-watch") { Description = "Reload on SIGHUP alone, not when the configuration changes" };

    private Option<int?> Capacity { get; } = OptionKinds.Number(
        "--capacity", $"Most connections at a time (default {ConnectionTable.CapacityDefault})", CapacityMin);

    private Option<ulong?> Seed { get; } = OptionKinds.Number<ulong>(
        "--seed", "Seed of drawn ports and of the connection hash (default: drawn)", 0);

    private Option<string?> SourcePorts { get; } = OptionKinds.OneOf(
        "--snat-ports", "Which source port is taken when the client's own is in use; the kernel draws it (default)", NextFree, Drawn);

    private Option<bool> BusyPoll { get; } = new("--busy-poll")
    {
        Description = "Never sleep: least latency for a whole processor",
    };

    private Option<bool> Top { get; } = new("--top") { Description = "Show rates per server on the terminal" };

    private Option<string?> LogLevel { get; } = OptionKinds.OneOf(
        "--log-level", "What is told on standard error (default info)", "debug", "info", "warning", "error");

    private Option<bool> LogJson { get; } = new("--log-json") { Description = "Log lines are JSON documents" };

    /// <summary>Gives a command the options.</summary>
    public void AddTo(Command command)
    {
        Option[] all =
        [
            Tap, Packet, Xdp, NodeFolder, ConfigFile, Attach, Mtu, Mac, Queue, ZeroCopy, BusyPoll, Workers, Recording, RecordingMegabytes,
            RecordingFiles, Dns, Metrics, Otlp, Control, NoControl, NoWatch, Capacity, Seed, SourcePorts, Top, LogLevel, LogJson,
        ];
        foreach (Option option in all)
        {
            command.Add(option);
        }

        Placement.AddTo(command);
    }

    /// <summary>What was typed.</summary>
    public RunArguments Read(ParseResult parsed) => new()
    {
        Tap = parsed.GetValue(Tap),
        Packet = parsed.GetValue(Packet),
        Xdp = parsed.GetValue(Xdp),
        Queue = parsed.GetValue(Queue),
        ZeroCopy = parsed.GetValue(ZeroCopy),
        NodeFolder = parsed.GetValue(NodeFolder),
        ConfigFile = parsed.GetValue(ConfigFile),
        Attach = parsed.GetValue(Attach),
        Mtu = parsed.GetValue(Mtu),
        Mac = parsed.GetValue(Mac),
        Workers = parsed.GetValue(Workers),
        Processors = Placement.Read(parsed).Processors,
        Memory = Placement.Read(parsed).Memory,
        Recording = parsed.GetValue(Recording),
        RecordingMegabytes = parsed.GetValue(RecordingMegabytes),
        RecordingFiles = parsed.GetValue(RecordingFiles),
        Dns = parsed.GetValue(Dns),
        Metrics = parsed.GetValue(Metrics),
        Otlp = parsed.GetValue(Otlp),
        Control = parsed.GetValue(Control),
        HasNoControl = parsed.GetValue(NoControl),
        WatchesNot = parsed.GetValue(NoWatch),
        Capacity = parsed.GetValue(Capacity),
        Seed = parsed.GetValue(Seed),
        SourcePorts = parsed.GetValue(SourcePorts),
        IsBusyPolling = parsed.GetValue(BusyPoll),
        ShowsTop = parsed.GetValue(Top),
        LogLevel = parsed.GetValue(LogLevel),
        IsLogJson = parsed.GetValue(LogJson),
    };
}
