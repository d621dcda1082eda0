using FastPathLb.Balancer;
using FastPathLb.Balancer.Ipvs;
using FastPathLb.Engine.Building;
using FastPathLb.Engine.Reporting;
using FastPathLb.Live.Devices;
using FastPathLb.Live.Recording;
using FastPathLb.Live.Running;
using FastPathLb.NodeState;
using FastPathLb.Pipeline;
using NodeDump = FastPathLb.NodeState.NodeState;

namespace FastPathLb.Live.Metrics;

/// <summary>Takes snapshots of a running load balancer: asks the worker, which copies figures between two batches. Any thread.</summary>
public sealed class LiveReporter
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);
    private static readonly NodeDump s_noNames = new() { Origin = "none", Namespaces = new Dictionary<string, NamespaceState>() };

    private readonly BuiltLoadBalancer _built;
    private readonly ILiveDevice _device;
    private readonly FrameRecorder? _recorder;
    private readonly WorkerMailbox _mailbox;
    private readonly ConnectionCensus _census;
    private readonly LiveClock _clock;

    internal LiveReporter(
        BuiltLoadBalancer built, ILiveDevice device, FrameRecorder? recorder, WorkerMailbox mailbox, ConnectionCensus census,
        LiveClock clock)
    {
        _built = built;
        _device = device;
        _recorder = recorder;
        _mailbox = mailbox;
        _census = census;
        _clock = clock;
    }

    /// <summary>Takes a snapshot.</summary>
    /// <exception cref="TimeoutException">The worker has ended.</exception>
    public LiveSnapshot Take() => _mailbox.Ask(Copy, s_patience);

    private LiveSnapshot Copy()
    {
        FrameCounters counters = _built.Balancer.Counters;
        return new LiveSnapshot
        {
            Time = _clock.Read(),
            Device = _device.Name,
            Kind = _device.Kind,
            Interface = DeviceFigures.Of(_device.Counters),
            Verdicts = [.. Enum.GetValues<Verdict>().Where(verdict => verdict != Verdict.None).Select(verdict => (verdict, counters[verdict]))],
            Reasons =
            [
                .. Enum.GetValues<DropReason>().Where(reason => reason != DropReason.None && counters[reason] > 0)
                    .Select(reason => (reason, counters[reason])),
            ],
            EstablishedFrames = _built.Balancer.EstablishedFrames,
            Connections = _built.Table.Count,
            Capacity = _built.Table.Capacity,
            States = [.. ConnectionCensus.Names.Zip(_census.Counts)],
            Services = [.. ServiceTraffic.Of(_built.Namespace, s_noNames).Select(Copy)],
            RecordedFrames = _recorder?.FrameCount ?? -1,
            RecordingFailure = _recorder?.Failure,
        };
    }

    private static ServiceFigures Copy(ServiceTraffic service) => new(
        service.Service, service.Address?.ToString(), service.Scheduler, Copy(service.Counters),
        [.. service.Servers.Select(server => new ServerFigures(
            server.Address, server.Weight, server.ActiveConnections, server.InactiveConnections, Copy(server.Counters)))]);

    private static TrafficFigures Copy(IpvsCounters counters) => new(
        counters.Connections, counters.InPackets, counters.OutPackets, counters.InBytes, counters.OutBytes);
}
