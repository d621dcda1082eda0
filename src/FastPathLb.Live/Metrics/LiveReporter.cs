using FastPathLb.Balancer;
using FastPathLb.Balancer.Ipvs;
using FastPathLb.Conntrack;
using FastPathLb.Engine.Building;
using FastPathLb.Engine.Reporting;
using FastPathLb.Live.Devices;
using FastPathLb.Live.Recording;
using FastPathLb.Live.Running;
using FastPathLb.NodeState;
using FastPathLb.Pipeline;
using NodeDump = FastPathLb.NodeState.NodeState;

namespace FastPathLb.Live.Metrics;

/// <summary>Takes snapshots of a running load balancer: asks the first worker, which copies all workers' figures between two batches. Any thread.</summary>
public sealed class LiveReporter
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);
    private static readonly Verdict[] s_verdicts = [.. Enum.GetValues<Verdict>().Where(verdict => verdict != Verdict.None)];
    private static readonly DropReason[] s_reasons = [.. Enum.GetValues<DropReason>().Where(reason => reason != DropReason.None)];
    private static readonly NodeDump s_noNames = new() { Origin = "none", Namespaces = new Dictionary<string, NamespaceState>() };

    private readonly LiveMembers _members;
    private readonly IReadOnlyList<ILiveDevice> _queues;
    private readonly IReadOnlyList<LiveWorker> _workers;
    private readonly FrameRecorder? _recorder;
    private readonly WorkerMailbox _mailbox;
    private readonly ConnectionCensus _census;
    private readonly LiveClock _clock;

    internal LiveReporter(
        LiveMembers members, IReadOnlyList<ILiveDevice> queues, IReadOnlyList<LiveWorker> workers, FrameRecorder? recorder, WorkerMailbox mailbox, ConnectionCensus census,
        LiveClock clock)
    {
        _members = members;
        _queues = queues;
        _workers = workers;
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
        ConnectionTable table = _members.First.Table;
        return new LiveSnapshot
        {
            Time = _clock.Read(),
            Device = _queues[0].Name,
            Kind = _queues[0].Kind,
            Workers = [.. _workers.Select(Copy)],
            Connections = table.Count,
            Capacity = table.Capacity,
            States = [.. ConnectionCensus.Names.Zip(_census.Counts)],
            Services = CopyServices(),
            RecordedFrames = _recorder?.FrameCount ?? -1,
            RecordingFailure = _recorder?.Failure,
        };
    }

    private WorkerFigures Copy(LiveWorker worker)
    {
        LoadBalancer balancer = _members.All[worker.Number].Balancer;
        FrameCounters counters = balancer.Counters;
        return new WorkerFigures
        {
            Number = worker.Number,
            Queue = DeviceFigures.Of(_queues[worker.Number].Counters),
            Verdicts = [.. s_verdicts.Select(verdict => (verdict, counters[verdict]))],
            Reasons = [.. s_reasons.Where(reason => counters[reason] > 0).Select(reason => (reason, counters[reason]))],
            EstablishedFrames = balancer.EstablishedFrames,
            HandedOver = worker.Counters.HandedOver,
            HandOverDrops = worker.Counters.HandOverDrops,
        };
    }

    /// <summary>Each worker counts its own traffic; services and servers are the same, in the same order.</summary>
    private List<ServiceFigures> CopyServices()
    {
        List<ServiceFigures> sums = [.. ServiceTraffic.Of(_members.First.Namespace, s_noNames).Select(Copy)];
        foreach (BuiltLoadBalancer member in _members.All.Skip(1))
        {
            IReadOnlyList<ServiceTraffic> others = ServiceTraffic.Of(member.Namespace, s_noNames);
            for (int index = 0; index < sums.Count; index++)
            {
                sums[index] = sums[index].With(Copy(others[index]));
            }
        }

        return sums;
    }

    private static ServiceFigures Copy(ServiceTraffic service) => new(
        service.Service, service.Address?.ToString(), service.Scheduler, Copy(service.Counters),
        [.. service.Servers.Select(server => new ServerFigures(
            server.Address, server.Weight, server.ActiveConnections, server.InactiveConnections, Copy(server.Counters)))]);

    private static TrafficFigures Copy(IpvsCounters counters) => new(
        counters.Connections, counters.InPackets, counters.OutPackets, counters.InBytes, counters.OutBytes);
}
