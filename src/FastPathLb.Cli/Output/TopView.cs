using FastPathLb.Live.Metrics;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace FastPathLb.Cli.Output;

/// <summary>Rates per server on the terminal, once a second, while a load balancer runs.</summary>
internal sealed class TopView : IDisposable
{
    private const int IntervalMilliseconds = 1000;
    private const double NanosecondsPerSecond = 1e9;
    private const double BitsPerByte = 8;
    private const double Million = 1e6;

    private readonly LiveReporter _reporter;
    private readonly IAnsiConsole _terminal;
    private readonly ManualResetEventSlim _stopping = new();
    private readonly Thread _thread;

    private TopView(LiveReporter reporter, CommandConsole console)
    {
        _reporter = reporter;
        _terminal = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(console.Out) });
        _thread = new Thread(Show) { IsBackground = true, Name = "top" };
    }

    /// <summary>Starts showing.</summary>
    public static TopView Start(LiveReporter reporter, CommandConsole console)
    {
        TopView view = new(reporter, console);
        view._thread.Start();
        return view;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stopping.Set();
        _thread.Join(IntervalMilliseconds);
        _stopping.Dispose();
    }

    /// <summary>What is shown between two snapshots.</summary>
    internal static IRenderable Render(LiveSnapshot before, LiveSnapshot now)
    {
        double seconds = Math.Max((now.Time - before.Time) / NanosecondsPerSecond, 1e-3);
        Table table = new Table().Border(TableBorder.Simple)
            .AddColumns("service / server", "weight", "active", "inactive", "conns/s", "packets/s in", "out", "Mbit/s in", "out");
        for (int index = 2; index <= 8; index++)
        {
            table.Columns[index - 1].RightAligned();
        }

        table.Columns[8].RightAligned();
        foreach (ServiceFigures service in now.Services)
        {
            ServiceFigures? old = before.Services.FirstOrDefault(item => item.Service == service.Service);
            string title = $"{service.Name} {service.Address} {service.Scheduler}";
            table.AddRow([Markup.Escape(title), "", "", "", .. Rates(old?.Traffic ?? default, service.Traffic, seconds)]);
            foreach (ServerFigures server in service.Servers)
            {
                ServerFigures? was = old?.Servers.FirstOrDefault(item => item.Server == server.Server);
                table.AddRow(
                [
                    $"  -> {Markup.Escape(server.Server)}", $"{server.Weight}", $"{server.Active}", $"{server.Inactive}",
                    .. Rates(was?.Traffic ?? default, server.Traffic, seconds),
                ]);
            }
        }

        DeviceFigures device = now.Interface;
        long drops = now.Reasons.Sum(reason => reason.Frames);
        IEnumerable<IRenderable> workers = now.Workers.Count == 1 ? []
            : now.Workers.Zip(before.Workers, (worker, was) => (IRenderable)new Text(
                $"worker {worker.Number}   in {(worker.Queue.FramesIn - was.Queue.FramesIn) / seconds:N0} frames/s   "
                + $"out {(worker.Queue.FramesOut - was.Queue.FramesOut) / seconds:N0}   "
                + $"handed over {(worker.HandedOver - was.HandedOver) / seconds:N0}"));
        return new Rows(
        [
            new Text(
                $"{now.Kind} {now.Device}   in {(device.FramesIn - before.Interface.FramesIn) / seconds:N0} frames/s, "
                + $"{(device.BytesIn - before.Interface.BytesIn) * BitsPerByte / Million / seconds:N1} Mbit/s   "
                + $"out {(device.FramesOut - before.Interface.FramesOut) / seconds:N0} frames/s   "
                + $"connections {now.Connections:N0} of {now.Capacity:N0}   ended here {drops:N0}"),
            .. workers,
            table,
        ]);
    }

    private static string[] Rates(TrafficFigures before, TrafficFigures now, double seconds) =>
    [
        $"{(now.Connections - before.Connections) / seconds:N0}",
        $"{(now.InPackets - before.InPackets) / seconds:N0}",
        $"{(now.OutPackets - before.OutPackets) / seconds:N0}",
        $"{(now.InBytes - before.InBytes) * BitsPerByte / Million / seconds:N1}",
        $"{(now.OutBytes - before.OutBytes) * BitsPerByte / Million / seconds:N1}",
    ];

    private void Show() => _terminal.Live(new Text("waiting")).AutoClear(true).Start(context =>
    {
        LiveSnapshot? before = null;
        do
        {
            try
            {
                LiveSnapshot now = _reporter.Take();
                context.UpdateTarget(Render(before ?? now, now));
                before = now;
            }
            catch (TimeoutException)
            {
                // The worker has not begun yet, or has ended.
            }
        }
        while (!_stopping.Wait(IntervalMilliseconds));
    });
}
