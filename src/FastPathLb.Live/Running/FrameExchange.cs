using FastPathLb.Pipeline;

namespace FastPathLb.Live.Running;

/// <summary>
/// Hands frames that came in at one worker's queue over to the worker whose connections they belong to: a ring for each pair, and an
/// alarm for who sleeps meanwhile.
/// </summary>
/// <remarks>
/// A frame keeps its place among those that came in at the same queue. When a ring is full the frame is dropped, as the kernel drops what
/// its backlog has no room for: to process it here would let it overtake those in the ring, and take the gate when there is most to do.
/// Whoever falls asleep says so before it looks a last time; whoever publishes looks afterwards; both with a full fence between.
/// So no frame waits for a sleeper.
/// </remarks>
internal sealed class FrameExchange
{
    /// <summary>Size of one ring: some 300 frames of 1,500 bytes, more than a batch.</summary>
    public const int RingBytes = 512 * 1024;

    // Two cache lines for each: neighbours are fetched in pairs.
    private const int Stride = 32;

    private readonly int _workers;
    private readonly FrameRing?[] _rings;
    private readonly IReadOnlyList<WorkerAlarm> _alarms;
    private readonly int[] _sleeps;

    /// <summary>Makes rings between all workers.</summary>
    /// <param name="alarms">What wakes each worker.</param>
    public FrameExchange(IReadOnlyList<WorkerAlarm> alarms)
    {
        _workers = alarms.Count;
        _alarms = alarms;
        _sleeps = new int[(_workers + 1) * Stride];
        _rings = new FrameRing?[_workers * _workers];
        for (int from = 0; from < _workers; from++)
        {
            for (int to = 0; to < _workers; to++)
            {
                _rings[(from * _workers) + to] = from == to ? null : new FrameRing(RingBytes);
            }
        }
    }

    /// <summary>The longest frame that can be handed over; a longer one, which only offloads make, is processed where it is.</summary>
    public const int FrameBytesMax = (RingBytes / 2) - 64;

    /// <summary>Hands a frame over; it is on its way after <see cref="Publish"/>. The worker that has it.</summary>
    /// <returns><see langword="false"/> where the ring is full.</returns>
    public bool TryHandOver(int from, int to, ReadOnlySpan<byte> frame, int wireLengthBytes, long timestampNanoseconds) =>
        RingOf(from, to).TryAdd(frame, wireLengthBytes, timestampNanoseconds);

    /// <summary>Sends on what was handed over, and wakes who sleeps. The worker that had it.</summary>
    /// <param name="from">The worker.</param>
    /// <param name="to">A bit for each worker that got something.</param>
    public void Publish(int from, uint to)
    {
        for (int worker = 0; worker < _workers; worker++)
        {
            if ((to & (1u << worker)) != 0)
            {
                RingOf(from, worker).Publish();
            }
        }

        Interlocked.MemoryBarrier();
        for (int worker = 0; worker < _workers; worker++)
        {
            if ((to & (1u << worker)) != 0 && Volatile.Read(ref _sleeps[(worker + 1) * Stride]) != 0)
            {
                _alarms[worker].Ring();
            }
        }
    }

    /// <summary>Whether something came for a worker.</summary>
    public bool HasFrames(int worker)
    {
        for (int from = 0; from < _workers; from++)
        {
            if (from != worker && RingOf(from, worker).HasFrames)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Fills a batch with what came for a worker. The worker.</summary>
    public void Fill(int worker, FrameBatch batch)
    {
        for (int from = 0; from < _workers; from++)
        {
            if (from == worker)
            {
                continue;
            }

            FrameRing ring = RingOf(from, worker);
            while (ring.TryPeek(out RingedFrame frame)
                && batch.TryAdd(frame.Bytes, frame.TimestampNanoseconds, wireLengthBytes: frame.WireLengthBytes))
            {
                ring.Take(frame);
            }

            ring.Release();
        }
    }

    /// <summary>A worker is about to sleep.</summary>
    /// <returns>Whether it may: nothing came meanwhile.</returns>
    public bool FallAsleep(int worker)
    {
        Interlocked.Exchange(ref _sleeps[(worker + 1) * Stride], 1);
        return !HasFrames(worker);
    }

    /// <summary>A worker has slept.</summary>
    public void WakeUp(int worker) => Volatile.Write(ref _sleeps[(worker + 1) * Stride], 0);

    private FrameRing RingOf(int from, int to) => _rings[(from * _workers) + to]!;
}
