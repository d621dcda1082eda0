using FastPathLb.Balancer.Workers;
using FastPathLb.Engine.Building;
using FastPathLb.Live.Devices;
using FastPathLb.Live.Metrics;
using FastPathLb.Live.Recording;
using FastPathLb.Pipeline;

namespace FastPathLb.Live.Running;

/// <summary>
/// One thread's loop: frames of a device's queue through the load balancer, batch by batch; what others hand over or ask, between two batches; timers,
/// also while no frame comes. Owns the queue, its load balancer and its batches while it runs.
/// </summary>
/// <remarks>
/// Among several workers, frames that belong to another one's connections are handed over (<see cref="FrameExchange"/>), and those that no
/// worker can do alone (ARP, fragments) to the first. All that touches a load balancer happens within the gate.
/// </remarks>
public sealed class LiveWorker
{
    /// <summary>Longest sleep while nothing happens: how late a timer may be.</summary>
    public const int IdleMilliseconds = 50;

    /// <summary>Most workers of a run: each pair of them has a ring.</summary>
    public const int CountMax = 16;

    private const long HousekeepingNanoseconds = IdleMilliseconds * 1_000_000L;

    private readonly BuiltLoadBalancer _built;
    private readonly ILiveDevice _device;
    private readonly LiveClock _clock;
    private readonly WorkerAlarm _alarm;
    private readonly FrameBatch _batch;
    private readonly BatchMeter _meter;
    private readonly LinkAging _aging;
    private readonly KeyValuePair<string, object?> _tag;
    private readonly WorkerGroup? _group;
    private readonly WorkerGate? _gate;
    private readonly FrameExchange? _exchange;
    private readonly FrameBatch? _handed;
    private long _housekeepingDue;

    /// <summary>Makes a worker.</summary>
    /// <param name="members">The load balancers of all workers.</param>
    /// <param name="device">Its queue.</param>
    /// <param name="clock">The time.</param>
    /// <param name="alarm">What wakes it.</param>
    /// <param name="meter">What its batches are told to.</param>
    /// <param name="number">Its number, from 0.</param>
    /// <param name="exchange">How frames come from and go to others, or null where it is the only one.</param>
    internal LiveWorker(
        LiveMembers members, ILiveDevice device, LiveClock clock, WorkerAlarm alarm, BatchMeter meter, int number = 0, FrameExchange? exchange = null)
    {
        Number = number;
        _built = members.All[number];
        _device = device;
        _clock = clock;
        _alarm = alarm;
        _meter = meter;
        _tag = BatchMeter.TagOf(number);
        _batch = device.CreateBatch();
        _aging = new LinkAging(_built);
        if (exchange is not null)
        {
            _group = members.Group;
            _gate = _group!.Gate;
            _exchange = exchange;
            _handed = new FrameBatch();
        }
    }

    /// <summary>Its number, from 0.</summary>
    public int Number { get; }

    /// <summary>What it did with frames besides processing them.</summary>
    public WorkerCounters Counters { get; } = new();

    /// <summary>Records what passes, or null.</summary>
    internal WorkerRecorder? Recorder { get; init; }

    /// <summary>What it does for all: the first worker's.</summary>
    internal CommonDuties? Duties { get; init; }

    /// <summary>What others ask of the load balancer: the first worker's.</summary>
    public WorkerMailbox? Mailbox { get; init; }

    /// <summary>Whether the loop asks for frames without ever sleeping: least latency, one processor in full use.</summary>
    public bool IsBusyPolling { get; init; }

    /// <summary>Runs until told to stop, or until the device is gone.</summary>
    /// <returns>Why the device is gone, or null.</returns>
    public string? Run(CancellationToken stopping)
    {
        using CancellationTokenRegistration wake = stopping.Register(_alarm.Ring);
        IFrameSink sink = Recorder is null ? _device : Recorder;
        _batch.ConnectSink(sink);
        _handed?.ConnectSink(sink);
        Greet();
        while (!stopping.IsCancellationRequested)
        {
            _batch.Clear();
            bool isOpen = _device.Receive(_batch);
            bool isIdle = _batch.Count == 0;
            if (!isIdle)
            {
                Steer();
                Process(_batch);
            }

            isIdle &= !ProcessHanded();
            if (isIdle)
            {
                if (!isOpen)
                {
                    return _device.Failure ?? $"{_device.Name}: the device has ended";
                }

                Idle();
            }

            if (Mailbox is { HasWork: true })
            {
                Mailbox.Run();
            }
        }

        return null;
    }

    private void Greet()
    {
        _batch.Clear();
        _gate?.Begin(Number);
        Duties?.Greet(_batch, _clock.Read());
        _gate?.End(Number);
        _batch.Flush();
    }

    /// <summary>Hands over what is another worker's; what stays moves to the front.</summary>
    private void Steer()
    {
        if (_group is null)
        {
            return;
        }

        Span<FrameDescriptor> frames = _batch.Frames;
        int kept = 0;
        uint reached = 0;
        _gate!.Begin(Number);
        for (int index = 0; index < frames.Length; index++)
        {
            ref FrameDescriptor frame = ref frames[index];
            ReadOnlySpan<byte> bytes = _batch.FrameBytes(index);

            // Fragments of a datagram come to one worker, and answers to ARP go out in order.
            int worker = Math.Max(_group.Steering.WorkerOf(bytes), 0);
            if (worker == Number || bytes.Length > FrameExchange.FrameBytesMax)
            {
                frames[kept++] = frame;
            }
            else if (_exchange!.TryHandOver(Number, worker, bytes, frame.WireLengthBytes, frame.TimestampNanoseconds))
            {
                reached |= 1u << worker;
                Counters.HandedOver++;
            }
            else
            {
                reached |= 1u << worker;
                Counters.HandOverDrops++;
            }
        }

        _gate.End(Number);
        _batch.Keep(kept);
        if (reached != 0)
        {
            _exchange!.Publish(Number, reached);
        }
    }

    /// <returns>Whether there was something.</returns>
    private bool ProcessHanded()
    {
        if (_exchange is null || !_exchange.HasFrames(Number))
        {
            return false;
        }

        _handed!.Clear();
        _exchange.Fill(Number, _handed);
        Process(_handed);
        return true;
    }

    private void Process(FrameBatch batch)
    {
        if (batch.Count == 0)
        {
            return;
        }

        long received = batch.Frames[0].TimestampNanoseconds;
        Recorder?.RecordReceived(batch);
        _built.Balancer.Process(batch);
        _gate?.Begin(Number);
        _aging.Look(batch, received);
        _gate?.End(Number);
        batch.Flush();
        if (_meter.IsWatched)
        {
            _meter.Record(batch.Count, _clock.Read() - received, _tag);
        }

        if (received >= _housekeepingDue)
        {
            Housekeep(batch, received);
        }
    }

    private void Idle()
    {
        long now = _clock.Read();
        _built.Balancer.Advance(now, _batch);
        _batch.Flush();
        if (now >= _housekeepingDue)
        {
            Housekeep(_batch, now);
        }

        if (IsBusyPolling || Mailbox is { HasWork: true })
        {
            return;
        }

        if (_exchange is null || _exchange.FallAsleep(Number))
        {
            _device.Wait(_alarm.Descriptor, IdleMilliseconds);
        }

        _exchange?.WakeUp(Number);
        _alarm.Silence();
    }

    private void Housekeep(FrameBatch batch, long now)
    {
        _housekeepingDue = now + HousekeepingNanoseconds;
        _gate?.Begin(Number);
        Duties?.Run(batch, now);
        _aging.Advance(now, batch);
        _gate?.End(Number);
        batch.Flush();
    }
}
