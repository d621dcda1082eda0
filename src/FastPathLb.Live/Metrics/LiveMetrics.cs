using System.Diagnostics;
using System.Diagnostics.Metrics;
using FastPathLb.Pipeline;

namespace FastPathLb.Live.Metrics;

/// <summary>
/// The load balancer's figures as instruments (System.Diagnostics.Metrics). One snapshot serves all instruments of a collection.
/// </summary>
internal sealed class LiveMetrics
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "FastPathLb";

    private const int SnapshotLifeMilliseconds = 200;

    private readonly LiveReporter _reporter;
    private readonly Lock _taking = new();
    private LiveSnapshot? _latest;
    private long _takenAt;

    public LiveMetrics(Meter meter, LiveReporter reporter)
    {
        _reporter = reporter;
        Count(meter, "fastpathlb.frames.in", "{frame}", "Frames received", worker => worker.Queue.FramesIn);
        Count(meter, "fastpathlb.frames.out", "{frame}", "Frames sent", worker => worker.Queue.FramesOut);
        Count(meter, "fastpathlb.received", "By", "Bytes received, Ethernet headers included", worker => worker.Queue.BytesIn);
        Count(meter, "fastpathlb.sent", "By", "Bytes sent, Ethernet headers included", worker => worker.Queue.BytesOut);
        Count(
            meter, "fastpathlb.frames.established", "{frame}", "Frames that took the short way of established connections",
            worker => worker.EstablishedFrames);
        Count(
            meter, "fastpathlb.frames.handed", "{frame}", "Frames that went to the worker whose connections they belong to",
            worker => worker.HandedOver);
        meter.CreateObservableCounter(
            "fastpathlb.frames", () => Observe(VerdictsOf), "{frame}", "Frames by what became of them");
        meter.CreateObservableCounter(
            "fastpathlb.drops", () => Observe(ReasonsOf), "{frame}", "Frames by the reason why they went no further");
        meter.CreateObservableCounter(
            "fastpathlb.device.drops", () => Observe(DeviceDropsOf), "{frame}", "Frames lost between the load balancer and its interface");
        meter.CreateObservableGauge(
            "fastpathlb.connections", () => Observe(StatesOf), "{connection}", "Connections by state");
        Gauge(meter, "fastpathlb.connections.used", "{connection}", "Records of the connection table in use", snapshot => snapshot.Connections);
        Gauge(meter, "fastpathlb.connections.capacity", "{connection}", "Records of the connection table", snapshot => snapshot.Capacity);
        ServiceCount(meter, "connections", "{connection}", traffic => traffic.Connections);
        ServiceCount(meter, "packets.in", "{packet}", traffic => traffic.InPackets);
        ServiceCount(meter, "packets.out", "{packet}", traffic => traffic.OutPackets);
        ServiceCount(meter, "in", "By", traffic => traffic.InBytes);
        ServiceCount(meter, "out", "By", traffic => traffic.OutBytes);
        ServerGauge(meter, "weight", "1", "Weight", server => server.Weight);
        ServerGauge(meter, "connections.active", "{connection}", "Connections in an active state", server => server.Active);
        ServerGauge(meter, "connections.inactive", "{connection}", "Connections in another state", server => server.Inactive);
    }

    private static IEnumerable<Measurement<long>> VerdictsOf(LiveSnapshot snapshot) => snapshot.Workers.SelectMany(
        worker => worker.Verdicts.Select(item => Of(worker, item.Frames, "verdict", item.Verdict.ToString().ToLowerInvariant())));

    private static IEnumerable<Measurement<long>> ReasonsOf(LiveSnapshot snapshot) => snapshot.Workers.SelectMany(
        worker => worker.Reasons.Select(item => Of(worker, item.Frames, "reason", DropReasonText.Name(item.Reason))));

    private static IEnumerable<Measurement<long>> StatesOf(LiveSnapshot snapshot) => snapshot.States.Select(
        item => new Measurement<long>(item.Connections, new KeyValuePair<string, object?>("state", item.State)));

    private static IEnumerable<Measurement<long>> DeviceDropsOf(LiveSnapshot snapshot) => snapshot.Workers.SelectMany<WorkerFigures, Measurement<long>>(
        worker =>
        [
            Of(worker, worker.Queue.DownDrops, "reason", "interface-down"),
            Of(worker, worker.Queue.QueueFullDrops, "reason", "queue-full"),
            Of(worker, worker.Queue.TooLongDrops, "reason", "too-long"),
            Of(worker, worker.Queue.ReceiveDrops, "reason", "receive-queue-full"),
            Of(worker, worker.HandOverDrops, "reason", "hand-over-full"),
        ]);

    private static Measurement<long> Of(WorkerFigures worker, long value, string name, string text) =>
        new(value, BatchMeter.TagOf(worker.Number), new KeyValuePair<string, object?>(name, text));

    private void Count(Meter meter, string name, string unit, string description, Func<WorkerFigures, long> read) =>
        meter.CreateObservableCounter(
            name,
            () => Observe(snapshot => snapshot.Workers.Select(
                worker => new Measurement<long>(read(worker), BatchMeter.TagOf(worker.Number)))),
            unit, description);

    // Of the table, which all workers share.
    private void Gauge(Meter meter, string name, string unit, string description, Func<LiveSnapshot, long> read) =>
        meter.CreateObservableGauge(name, () => Observe(snapshot => [new(read(snapshot))]), unit, description);

    private void ServiceCount(Meter meter, string name, string unit, Func<TrafficFigures, long> read)
    {
        meter.CreateObservableCounter(
            $"fastpathlb.service.{name}",
            () => Observe(snapshot => snapshot.Services.Select(service => new Measurement<long>(read(service.Traffic), TagsOf(service)))),
            unit, "Per virtual service, as ipvsadm --stats counts it");
        meter.CreateObservableCounter(
            $"fastpathlb.server.{name}",
            () => Observe(snapshot => snapshot.Services.SelectMany(service => service.Servers.Select(
                server => new Measurement<long>(read(server.Traffic), TagsOf(service, server))))),
            unit, "Per real server, as ipvsadm --stats counts it");
    }

    private void ServerGauge(Meter meter, string name, string unit, string description, Func<ServerFigures, long> read) =>
        meter.CreateObservableGauge(
            $"fastpathlb.server.{name}",
            () => Observe(snapshot => snapshot.Services.SelectMany(service => service.Servers.Select(
                server => new Measurement<long>(read(server), TagsOf(service, server))))),
            unit, description);

    private static KeyValuePair<string, object?>[] TagsOf(ServiceFigures service) =>
    [
        new("service", service.Name),
        new("address", service.Address ?? string.Empty),
    ];

    private static KeyValuePair<string, object?>[] TagsOf(ServiceFigures service, ServerFigures server) =>
        [.. TagsOf(service), new("server", server.Server)];

    private IEnumerable<Measurement<long>> Observe(Func<LiveSnapshot, IEnumerable<Measurement<long>>> read) =>
        Latest() is { } snapshot ? read(snapshot) : [];

    private LiveSnapshot? Latest()
    {
        lock (_taking)
        {
            if (_latest is null || Stopwatch.GetElapsedTime(_takenAt).TotalMilliseconds > SnapshotLifeMilliseconds)
            {
                try
                {
                    _latest = _reporter.Take();
                    _takenAt = Stopwatch.GetTimestamp();
                }
                catch (TimeoutException)
                {
                    // The worker has ended: the last figures stay.
                }
            }

            return _latest;
        }
    }
}
