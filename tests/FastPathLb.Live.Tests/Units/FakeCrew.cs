using System.Diagnostics.Metrics;
using FastPathLb.Engine.Building;
using FastPathLb.Live.Metrics;
using FastPathLb.Live.Running;
using FastPathLb.NodeState;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastPathLb.Live.Tests.Units;

/// <summary>Workers over queues of memory, joined as a run joins them.</summary>
internal sealed class FakeCrew : IDisposable
{
    private readonly Meter _meter = new("test");
    private readonly WorkerAlarm[] _alarms;
    private readonly WorkerCrew _crew;

    public FakeCrew(string yaml, params FakeDevice[] queues)
    {
        LoadBalancerOptions options = new() { AttachPoint = Balancer.AttachPoint.Overlay, Capacity = 4096 };
        Members = LiveBuilder.Build(LbConfigReader.Parse(yaml, "test.yaml"), options, queues.Length);
        _alarms = [.. queues.Select(_ => new WorkerAlarm())];
        Mailbox = new WorkerMailbox(_alarms[0], Members.Group?.Gate);
        LinkWatch watch = new(queues, [.. Members.All.Select(member => member.Namespace)]);
        CommonDuties duties = new(Members.First, new ConnectionCensus(Members.First), watch, NullLogger.Instance);
        FrameExchange? exchange = queues.Length > 1 ? new FrameExchange(_alarms) : null;
        BatchMeter meter = new(_meter);
        Workers =
        [
            .. queues.Select((queue, number) => new LiveWorker(Members, queue, Clock, _alarms[number], meter, number, exchange)
            {
                Duties = number == 0 ? duties : null,
                Mailbox = number == 0 ? Mailbox : null,
            }),
        ];
        _crew = new WorkerCrew(Workers, Mailbox);
    }

    public LiveClock Clock { get; } = new();

    public LiveMembers Members { get; }

    public WorkerMailbox Mailbox { get; }

    public IReadOnlyList<LiveWorker> Workers { get; }

    public string? Run(CancellationToken stopping) => _crew.Run(stopping);

    public void Dispose()
    {
        Members.Dispose();
        _meter.Dispose();
        foreach (WorkerAlarm alarm in _alarms)
        {
            alarm.Dispose();
        }
    }
}
