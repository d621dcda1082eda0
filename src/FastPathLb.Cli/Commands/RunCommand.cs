using System.CommandLine;
using System.Runtime.InteropServices;
using FastPathLb.Cli.Options;
using FastPathLb.Cli.Output;
using FastPathLb.Cli.Running;
using FastPathLb.Live.Devices;
using FastPathLb.Live.Metrics;
using FastPathLb.Live.Running;
using Microsoft.Extensions.Logging;

namespace FastPathLb.Cli.Commands;

/// <summary><c>run</c>: the load balancer on a live network.</summary>
internal static class RunCommand
{
    private static readonly string[] s_examples =
    [
        "fastpathlb run --tap tap0 --config lb.yaml",
        "fastpathlb run --tap tap0 --config lb.yaml --pcap live.pcap --metrics 127.0.0.1:9464 --top",
        "fastpathlb run --tap tap0 --config lb.yaml --dns 10.0.1.1    (then, with that as nameserver: curl http://web/)",
        "fastpathlb run --af-xdp eth1 --node dumps/ --attach underlay",
        "fastpathlb run --af-packet eth1 --config lb.yaml --workers 4",
        "fastpathlb ctl ipvsadm -e -f 257 -r 10.0.1.3 -m -w 0        # drain a server of it",
    ];

    /// <summary>The command.</summary>
    public static Command Create(CommandConsole console)
    {
        Command command = new("run", "Be the load balancer on a live network: TAP, AF_PACKET or AF_XDP (needs root)");
        RunOptions options = new();
        options.AddTo(command);
        command.SetAction(parsed => Run(options.Read(parsed), console));
        return command.WithExamples(s_examples);
    }

    private static int Run(RunArguments typed, CommandConsole console)
    {
        RunPlan plan = RunPlanner.Plan(typed);
        using ILoggerFactory loggers = LiveLogging.Create(typed.LogLevel, typed.IsLogJson);
        using LiveResolver? resolver = plan.Dns is { } address ? new LiveResolver(address, plan.Node, loggers) : null;
        LiveClock clock = new();
        IReadOnlyList<ILiveDevice> queues = plan.OpenQueues(clock);
        LiveBalancer? live = null;
        try
        {
            live = new LiveBalancer(plan.Live, plan.Node, queues, clock, loggers);
        }
        finally
        {
            if (live is null)
            {
                foreach (ILiveDevice queue in queues)
                {
                    queue.Dispose();
                }
            }
        }

        using (live)
        {
            resolver?.Start(() => live.State);
            return Run(plan, live, console);
        }
    }

    private static int Run(RunPlan plan, LiveBalancer live, CommandConsole console)
    {
        using MetricsExport? export = plan.Metrics is null && plan.Otlp is null ? null : MetricsExport.Start(plan.Metrics, plan.Otlp);

        // Not while the signal's own thread waits: reading may take a while, and a second signal must be heard.
        using PosixSignalRegistration? reload = OperatingSystem.IsWindows() ? null : PosixSignalRegistration.Create(
            PosixSignal.SIGHUP,
            context =>
            {
                context.Cancel = true;
                ThreadPool.QueueUserWorkItem(_ => live.Reload());
            });
        using TopView? top = plan.ShowsTop ? TopView.Start(live.Reporter, console) : null;
        string? failure = live.Run(console.Stop.Token);
        return failure is null ? ExitCode.Success : ExitCode.DeviceLost;
    }
}
