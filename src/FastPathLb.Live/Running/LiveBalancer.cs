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
    private readonly ILiveDevice _device;
    private readonly ILogger _logger;
    private readonly BuiltLoadBalancer _built;
    private readonly WorkerMailbox _mailbox = new();
    private readonly FrameRecorder? _recorder;
    private readonly LiveWorker _worker;
    private readonly ConfigurationReloader _reloader;
    private readonly ControlServer? _control;

    /// <summary>Builds the load balancer over an open device, which it takes over.</summary>
    /// <param name="options">What to run.</param>
    /// <param name="node">The state, read from the options' source.</param>
    /// <param name="device">The device.</param>
    /// <param name="clock">What stamps the device's frames.</param>
    /// <param name="loggers">Where it tells what it does.</param>
    /// <exception cref="NodeStateException">The state lacks what the load balancer cannot do without.</exception>
    /// <exception cref="IOException">The recording or the control socket cannot be opened.</exception>
    public LiveBalancer(LiveOptions options, NodeDump node, ILiveDevice device, LiveClock clock, ILoggerFactory loggers)
    {
        _options = options;
        _device = device;
        _logger = loggers.CreateLogger("fastpathlb");
        _built = LiveBuilder.Build(node, options.Balancer);
        try
        {
            _recorder = options.Recording is null ? null : new FrameRecorder(options.Recording, device, _logger);
            Meter = new Meter(LiveMetrics.MeterName);
            Census = new ConnectionCensus(_built);
            _worker = new LiveWorker(_built, device, clock, _mailbox, new BatchMeter(Meter))
            {
                Recorder = _recorder,
                IsBusyPolling = options.IsBusyPolling,
                Vteps = LiveBuilder.VtepsOf(node),
                Census = Census,
                Logger = _logger,
            };
            Reporter = new LiveReporter(_built, device, _recorder, _mailbox, Census, clock);
            _ = new LiveMetrics(Meter, Reporter);
            _reloader = new ConfigurationReloader(options, node, _built, _worker, _mailbox, clock, _logger);
            _control = options.ControlPath is { } path
                ? new ControlServer(path, new ControlCommands(_built, Reporter, _mailbox, _reloader, clock, _logger), _logger)
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

    /// <summary>What it tells of itself, from any thread.</summary>
    public LiveReporter Reporter { get; } = null!;

    private ConnectionCensus Census { get; } = null!;

    /// <summary>Serves frames until told to stop or the device is gone.</summary>
    /// <returns>Why the device is gone, or null.</returns>
    public string? Run(CancellationToken stopping)
    {
        foreach (string warning in _built.Warnings)
        {
            LiveLog.Warning(_logger, warning);
        }

        if (_built.Device.MtuBytes > _device.MtuBytes && _built.Network is null)
        {
            LiveLog.Warning(
                _logger,
                $"the load balancer's MTU is {_built.Device.MtuBytes}, that of {_device.Name} only {_device.MtuBytes}: longer packets are dropped; set one of them");
        }

        LiveLog.Started(
            _logger, _device.Kind, _device.Name, _device.MtuBytes, string.Join(' ', _built.Device.Addresses),
            _options.Balancer.AttachPoint.ToString().ToLowerInvariant());
        _control?.Start();
        if (_options.WatchesFiles)
        {
            _reloader.Watch();
        }

        string? failure = _worker.Run(stopping);
        if (failure is not null)
        {
            LiveLog.DeviceFailed(_logger, failure);
        }

        LiveLog.Stopped(_logger, _device.Counters.FramesIn, _device.Counters.FramesOut);
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
        _device.Dispose();
        _built.Dispose();
        _mailbox.Dispose();
    }
}
