using System.Diagnostics.Metrics;
using FastPathLb.Engine.Building;
using FastPathLb.Live.Control;
using FastPathLb.Live.Devices;
using FastPathLb.Live.Metrics;
using FastPathLb.Live.Recording;
using FastPathLb.NodeState;
using Microsoft.Extensions.Logging;
using NodeDump = FastPathLb.NodeState.NodeState;

namespace FastPathLb.Live.Running;

/// <summary>A load balancer on a live network: device, worker, recording, reload, control and what is measured, as one.</summary>
public sealed class LiveBalancer : IDisposable
{
    private readonly LiveOptions _options;
    private readonly IReadOnlyList<ILiveDevice> _queues;
    private readonly ILogger _logger;
    private readonly LiveMembers _members;
    private readonly WorkerAlarm[] _alarms;
    private readonly FrameRecorder? _recorder;
    private readonly WorkerCrew _crew;
    private readonly ConfigurationReloader _reloader;
    private readonly ControlServer? _control;

    /// <summary>Builds the load balancer over the queues of an open device, which it takes over; each is a worker's.</summary>
    /// <param name="options">What to run.</param>
    /// <param name="node">The state, read from the options' source.</param>
    /// <param name="queues">The device's queues, one for each worker, at most <see cref="LiveWorker.CountMax"/>.</param>
    /// <param name="clock">What stamps the device's frames.</param>
    /// <param name="loggers">Where it tells what it does.</param>
    /// <exception cref="NodeStateException">The state lacks what the load balancer cannot do without.</exception>
    /// <exception cref="IOException">The recording or the control socket cannot be opened.</exception>
    public LiveBalancer(LiveOptions options, NodeDump node, IReadOnlyList<ILiveDevice> queues, LiveClock clock, ILoggerFactory loggers)
    {
        _options = options;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(queues.Count, LiveWorker.CountMax);
        _queues = queues;
        _logger = loggers.CreateLogger("fastpathlb");
        _members = LiveBuilder.Build(node, options.Balancer, queues.Count);
        _alarms = [];
        try
        {
            _recorder = options.Recording is null ? null : new FrameRecorder(options.Recording, queues, clock, _logger);
            _alarms = [.. queues.Select(_ => new WorkerAlarm())];
            Meter = new Meter(LiveMetrics.MeterName);
            ConnectionCensus census = new(_members.First);
            WorkerMailbox mailbox = new(_alarms[0], _members.Group?.Gate);
            LinkWatch watch = new(queues, [.. _members.All.Select(member => member.Namespace)]);
            CommonDuties duties = new(_members.First, census, watch, _logger) { Vteps = LiveBuilder.VtepsOf(node) };
            LiveWorker[] workers = CreateWorkers(clock, duties, mailbox);
            _crew = new WorkerCrew(workers, mailbox, options.Processors);
            if (queues is [PacketDevice shared, _, ..])
            {
                _members.Changed = () => shared.Steer(_members);
                _members.Changed();
            }

            Reporter = new LiveReporter(_members, queues, workers, _recorder, mailbox, census, clock);
            _ = new LiveMetrics(Meter, Reporter);
            _reloader = new ConfigurationReloader(options, node, _members, duties, mailbox, clock, _logger);
            _control = options.ControlPath is { } path
                ? new ControlServer(path, new ControlCommands(_members, Reporter, mailbox, _reloader, clock, _logger), _logger)
                : null;
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The meter of all its instruments.</summary>
    public Meter Meter { get; } = null!;

    /// <summary>The state in force. Any thread.</summary>
    public NodeDump State => _reloader.Current;

    /// <summary>What it tells of itself, from any thread.</summary>
    public LiveReporter Reporter { get; } = null!;

    /// <summary>Serves frames until told to stop or the device is gone.</summary>
    /// <returns>Why the device is gone, or null.</returns>
    public string? Run(CancellationToken stopping)
    {
        BuiltLoadBalancer built = _members.First;
        ILiveDevice device = _queues[0];
        foreach (string warning in built.Warnings)
        {
            LiveLog.Warning(_logger, warning);
        }

        if (built.Device.MtuBytes > device.MtuBytes && built.Network is null)
        {
            LiveLog.Warning(
                _logger,
                $"the load balancer's MTU is {built.Device.MtuBytes}, that of {device.Name} only {device.MtuBytes}: longer packets are dropped; set one of them");
        }

        LiveLog.Started(
            _logger, device.Kind, device.Name, device.MtuBytes, string.Join(' ', built.Device.Addresses),
            _options.Balancer.AttachPoint.ToString().ToLowerInvariant(), _queues.Count);
        _control?.Start();
        if (_options.WatchesFiles)
        {
            _reloader.Watch();
        }

        string? failure = _crew.Run(stopping);
        if (failure is not null)
        {
            LiveLog.DeviceFailed(_logger, failure);
        }

        LiveLog.Stopped(_logger, _queues.Sum(queue => queue.Counters.FramesIn), _queues.Sum(queue => queue.Counters.FramesOut));
        return failure;
    }

    /// <summary>Reads the configuration again and swaps it in between two batches. Any thread.</summary>
    /// <returns>What changed, or null where the new one was refused, which the log says.</returns>
    public string? Reload() => _reloader.Reload(out _);

    /// <inheritdoc/>
    public void Dispose()
    {
        _control?.Dispose();
        _reloader?.Dispose();
        Meter?.Dispose();
        _recorder?.Dispose();
        foreach (ILiveDevice queue in _queues)
        {
            queue.Dispose();
        }

        _members.Dispose();
        foreach (WorkerAlarm alarm in _alarms)
        {
            alarm.Dispose();
        }
    }

    private LiveWorker[] CreateWorkers(LiveClock clock, CommonDuties duties, WorkerMailbox mailbox)
    {
        LiveWorker[] workers = new LiveWorker[_queues.Count];
        BatchMeter meter = new(Meter);
        FrameExchange? exchange = workers.Length > 1 ? new FrameExchange(_alarms) : null;
        for (int number = 0; number < workers.Length; number++)
        {
            workers[number] = new LiveWorker(_members, _queues[number], clock, _alarms[number], meter, number, exchange)
            {
                Recorder = _recorder?.Shares[number],
                IsBusyPolling = _options.IsBusyPolling,
                Duties = number == 0 ? duties : null,
                Mailbox = number == 0 ? mailbox : null,
            };
        }

        return workers;
    }
}
