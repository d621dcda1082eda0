using FastPathLb.Engine.Building;
using FastPathLb.Live.Devices;
using FastPathLb.Live.Metrics;
using FastPathLb.Live.Recording;
using FastPathLb.Pipeline;
using Microsoft.Extensions.Logging;

namespace FastPathLb.Live.Running;

/// <summary>
/// One thread's loop: frames of a device through the load balancer, batch by batch; what others ask, between two batches; timers,
/// also while no frame comes. Owns the device, the load balancer and the batch while it runs.
/// </summary>
public sealed class LiveWorker
{
    /// <summary>Longest sleep while nothing happens: how late a timer may be.</summary>
    public const int IdleMilliseconds = 50;

    private const long HousekeepingNanoseconds = IdleMilliseconds * 1_000_000L;

    private readonly BuiltLoadBalancer _built;
    private readonly ILiveDevice _device;
    private readonly LiveClock _clock;
    private readonly WorkerMailbox _mailbox;
    private readonly FrameBatch _batch;
    private readonly ArpAnnouncer _announcer;
    private readonly BatchMeter _meter;
    private readonly LinkWatch _watch;
    private readonly LinkAging _aging;
    private long _housekeepingDue;

    /// <summary>Joins the parts.</summary>
    public LiveWorker(BuiltLoadBalancer built, ILiveDevice device, LiveClock clock, WorkerMailbox mailbox, BatchMeter meter)
    {
        _built = built;
        _device = device;
        _clock = clock;
        _mailbox = mailbox;
        _meter = meter;
        _batch = device.CreateBatch();
        _announcer = new ArpAnnouncer(built);
        _watch = new LinkWatch(device, built.Namespace);
        _aging = new LinkAging(built);
    }

    /// <summary>Records what passes, or null.</summary>
    public FrameRecorder? Recorder { get; init; }

    /// <summary>VTEPs whose next hops are asked for at the start, so that no first packet is lost to it.</summary>
    public IReadOnlyList<uint> Vteps { get; init; } = [];

    /// <summary>Counts connections, a slice at a time.</summary>
    public required ConnectionCensus Census { get; init; }

    /// <summary>Where it tells of the interface going down and coming back.</summary>
    public required ILogger Logger { get; init; }

    /// <summary>Whether the loop asks for frames without ever sleeping: least latency, one processor in full use.</summary>
    public bool IsBusyPolling { get; init; }

    /// <summary>Runs until told to stop, or until the device is gone.</summary>
    /// <returns>Why the device is gone, or null.</returns>
    public string? Run(CancellationToken stopping)
    {
        try
        {
            return Serve(stopping);
        }
        finally
        {
            _mailbox.End();
        }
    }

    /// <summary>Tells the link again who the load balancer is. Between batches.</summary>
    public void Announce() => _announcer.Restart();

    private string? Serve(CancellationToken stopping)
    {
        using CancellationTokenRegistration wake = stopping.Register(_mailbox.Wake);
        _batch.ConnectSink(Recorder is null ? _device : Recorder);
        _announcer.Restart();
        Greet();
        while (!stopping.IsCancellationRequested)
        {
            _batch.Clear();
            bool isOpen = _device.Receive(_batch);
            if (_batch.Count > 0)
            {
                Process();
            }
            else if (!isOpen)
            {
                return _device.Failure ?? $"{_device.Name}: the device has ended";
            }
            else
            {
                Idle();
            }

            if (_mailbox.HasWork)
            {
                _mailbox.Run();
            }
        }

        return null;
    }

    private void Greet()
    {
        _batch.Clear();
        if (_built.Network is { } network)
        {
            for (int index = 0; index < Vteps.Count; index++)
            {
                network.Uplink.Ask(Vteps[index], _batch, _clock.Read());
            }
        }

        _batch.Flush();
    }

    private void Process()
    {
        long received = _batch.Frames[0].TimestampNanoseconds;
        Recorder?.RecordReceived(_batch);
        _built.Balancer.Process(_batch);
        _aging.Look(_batch, received);
        _batch.Flush();
        if (_meter.IsWatched)
        {
            _meter.Record(_batch.Count, _clock.Read() - received);
        }

        if (received >= _housekeepingDue)
        {
            Housekeep(received);
        }
    }

    private void Idle()
    {
        long now = _clock.Read();
        _built.Balancer.Advance(now, _batch);
        _batch.Flush();
        if (now >= _housekeepingDue)
        {
            Housekeep(now);
        }

        if (!IsBusyPolling && !_mailbox.HasWork)
        {
            _device.Wait(_mailbox.WakeDescriptor, IdleMilliseconds);
        }
    }

    private void Housekeep(long now)
    {
        _housekeepingDue = now + HousekeepingNanoseconds;
        _announcer.Run(_batch, now);
        _aging.Advance(now, _batch);
        _batch.Flush();
        Recorder?.FlushDue(now);
        Census.Continue();
        _watch.Look(Logger);
    }
}
