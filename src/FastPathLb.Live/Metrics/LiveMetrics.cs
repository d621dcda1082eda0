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
    private const string WorkerName = "worker";

    // One worker serves a device; the tag is there so that dashboards keep when there are more.
    private const string Worker = "0";

    private readonly LiveReporter _reporter;
    private readonly Lock _taking = new();
    private LiveSnapshot? _latest;
    private long _takenAt;

    public LiveMetrics(Meter meter, LiveReporter reporter)
    {
        _reporter = reporter;
        Count(meter, "fastpathlb.frames.in", "{frame}", "Frames received", snapshot => snapshot.Interface.FramesIn);
        Count(meter, "fastpathlb.frames.out", "{frame}", "Frames sent", snapshot => snapshot.Interface.FramesOut);
        Count(meter, "fastpathlb.received", "By", "Bytes received, Ethernet headers included", snapshot => snapshot.Interface.BytesIn);
        Count(meter, "fastpathlb.sent", "By", "Bytes sent, Ethernet headers included", snapshot => snapshot.Interface.BytesOut);
        Count(
            meter, "fastpathlb.frames.established", "{frame}", "Frames that took the short way of established connections",
            snapshot => snapshot.EstablishedFrames);
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

    private static IEnumerable<Measurement<long>> VerdictsOf(LiveSnapshot snapshot) => snapshot.Verdicts.Select(
        item => Of(item.Frames, "verdict", item.Verdict.ToString().ToLowerInvariant()));

    private static IEnumerable<Measurement<long>> ReasonsOf(LiveSnapshot snapshot) => snapshot.Reasons.Select(
        item => Of(item.Frames, "reason", DropReasonText.Name(item.Reason)));

    private static IEnumerable<Measurement<long>> StatesOf(LiveSnapshot snapshot) => snapshot.States.Select(
        item => Of(item.Connections, "state", item.State));

    private static IEnumerable<Measurement<long>> DeviceDropsOf(LiveSnapshot snapshot) =>
    [
        Of(snapshot.Interface.DownDrops, "reason", "interface-down"),
        Of(snapshot.Interface.QueueFullDrops, "reason", "queue-full"),
        Of(snapshot.Interface.TooLongDrops, "reason", "too-long"),
        Of(snapshot.Interface.ReceiveDrops, "reason", "receive-queue-full"),
    ];

    private static Measurement<long> Of(long value, string name, string text) =>
        new(value, new KeyValuePair<string, object?>(WorkerName, Worker), new KeyValuePair<string, object?>(name, text));

    private void Count(Meter meter, string name, string unit, string description, Func<LiveSnapshot, long> read) =>
        meter.CreateObservableCounter(
            name, () => Observe(snapshot => [new(read(snapshot), new KeyValuePair<string, object?>(WorkerName, Worker))]), unit, description);

    private void Gauge(Meter meter, string name, string unit, string description, Func<LiveSnapshot, long> read) =>
        meter.CreateObservableGauge(
            name, () => Observe(snapshot => [new(read(snapshot), new KeyValuePair<string, object?>(WorkerName, Worker))]), unit, description);

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
