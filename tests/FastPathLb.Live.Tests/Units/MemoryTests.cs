using System.Diagnostics.Metrics;
using System.Text;
using System.Text.Json;
using FastPathLb.Engine.Building;
using FastPathLb.Live.Control;
using FastPathLb.Live.Running;
using FastPathLb.Live.Tests.Lab;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastPathLb.Live.Tests.Units;

/// <summary>Asking a load balancer for months costs it nothing that stays.</summary>
public sealed class MemoryTests
{
    private const string Yaml =
        """
        lb: { address: 10.0.1.5/24 }
        services: [{ vip: 10.0.1.2, servers: [10.0.1.3, 10.0.1.4] }]
        """;

    private const int Calls = 2000;
    private const int WarmCalls = 300;

    // A kilobyte a call that stays would be eight times it.
    private const long GrowthBytesMax = 256 * 1024;

    // What is made once (a pool's buffers, a table that doubles, the compiler's own) comes in one round or two; what stays of each call
    // comes in all of them.
    private const int RoundsMax = 5;

    private static readonly string[] s_requests =
    [
        """{"show":"services"}""", """{"show":"connections"}""", """{"show":"counters"}""", """{"show":"drops"}""", """{"show":"neighbors"}""",
        """{"command":"ipvsadm -e -f 256 -r 10.0.1.4 -m -w 2"}""", """{"command":"ipvsadm -d -f 256 -r 10.0.1.4"}""",
        """{"command":"ipvsadm -a -f 256 -r 10.0.1.4 -m -w 1"}""", """{"reload":true}""",
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Thousands_of_questions_edits_reloads_and_scrapes_leave_nothing_behind(int workers)
    {
        using TemporaryFolder folder = new();
        folder.Write("lb.yaml", Yaml);
        string socket = folder["ctl.sock"];
        NodeSource source = new(folder["lb.yaml"]);
        LiveOptions options = new()
        {
            Source = source,
            Balancer = new LoadBalancerOptions { AttachPoint = Balancer.AttachPoint.Overlay, Capacity = 1024 },
            ControlPath = socket,
            WatchesFiles = false,
        };
        FakeDevice[] queues = [.. Enumerable.Range(0, workers).Select(_ => new FakeDevice())];
        using LiveBalancer live = new(options, source.Load(), queues, new LiveClock(), NullLoggerFactory.Instance);
        using CancellationTokenSource stop = new();
        using MeterListener scraper = Scraper(live.Meter);
        Thread running = new(() => live.Run(stop.Token));
        running.Start();
        Ask(WarmCalls);
        List<long> measured = [Measure(out int descriptorsBefore)];
        int descriptorsAfter;
        do
        {
            Ask(Calls);
            measured.Add(Measure(out descriptorsAfter));
        }
        while (measured[^1] - measured[^2] >= GrowthBytesMax && measured.Count <= RoundsMax);

        stop.Cancel();
        running.Join();
        Assert.True(
            measured[^1] - measured[^2] < GrowthBytesMax,
            $"each {Calls} calls leave something: bytes in use {string.Join(", ", measured)}");
        Assert.InRange(descriptorsAfter, 0, descriptorsBefore + 8);

        void Ask(int calls)
        {
            for (int call = 0; call < calls; call++)
            {
                byte[] reply = ControlClient.Ask(socket, Encoding.UTF8.GetBytes(s_requests[call % s_requests.Length]));
                using JsonDocument document = JsonDocument.Parse(reply);
                Assert.True(document.RootElement.GetProperty("ok").GetBoolean(), Encoding.UTF8.GetString(reply));
                if (call % 20 == 0)
                {
                    scraper.RecordObservableInstruments();
                }
            }
        }
    }

    private static MeterListener Scraper(Meter meter)
    {
        MeterListener listener = new()
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (ReferenceEquals(instrument.Meter, meter))
                {
                    self.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((_, _, _, _) => { });
        listener.Start();
        return listener;
    }

    /// <summary>What is reachable, and how many descriptors are open.</summary>
    private static long Measure(out int descriptors)
    {
        for (int round = 0; round < 3; round++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        descriptors = Directory.GetFiles("/proc/self/fd").Length;
        return GC.GetTotalMemory(forceFullCollection: true);
    }
}
