using FastPathLb.Balancer;
using FastPathLb.Balancer.Workers;
using FastPathLb.Engine.Placing;
using FastPathLb.Pipeline;

namespace FastPathLb.Engine.Replaying;

/// <summary>
/// Several workers on one capture: frames are steered, each worker does its share of a block on a thread of its own, and what comes
/// out is put back into the capture's order. While they work on one block, the calling thread reads the next and writes the last.
/// </summary>
/// <remarks>
/// What belongs to one flow keeps its order, since it comes to one worker, and connections are opened in the order of the capture
/// (<see cref="OpeningTurns"/>). Frames that need all of the table (<see cref="FrameSteering.Alone"/>) have a block of their own, so
/// that they come after everything that was before them. What may differ from one worker's result: which port replaces one that is
/// taken, and schedulers that look at how many connections are active at the moment.
/// </remarks>
internal sealed class ReplayWorkers : IDisposable
{
    private readonly WorkerGroup _group;
    private readonly ProcessorList? _processors;
    private readonly FrameBatch _merged = new();
    private readonly Block[] _blocks;
    private readonly Thread[] _threads;
    private readonly SemaphoreSlim[] _work;
    private readonly SemaphoreSlim _done = new(0);
    private Block _filling;
    private Block? _working;
    private volatile bool _isOver;

    /// <summary>Starts a thread for each load balancer of a group.</summary>
    /// <param name="group">The load balancers.</param>
    /// <param name="sink">Takes what they emit.</param>
    /// <param name="processors">Where their threads run; null where the system chooses.</param>
    public ReplayWorkers(WorkerGroup group, IFrameSink sink, ProcessorList? processors)
    {
        _group = group;
        _processors = processors;
        _merged.ConnectSink(sink);
        int workers = group.Members.Count;
        _blocks = [new Block(workers), new Block(workers)];
        _filling = _blocks[0];
        _work = new SemaphoreSlim[workers];
        _threads = new Thread[workers];
        for (int worker = 0; worker < workers; worker++)
        {
            int own = worker;
            _work[worker] = new SemaphoreSlim(0);
            _threads[worker] = new Thread(() => Work(own)) { IsBackground = true, Name = $"worker {worker}" };
            _threads[worker].Start();
        }
    }

    /// <summary>Takes a batch's frames; they are processed soon, what they cause goes to the sink in their order.</summary>
    public void Process(FrameBatch batch)
    {
        for (int index = 0; index < batch.Count; index++)
        {
            ref FrameDescriptor frame = ref batch.Frames[index];
            ReadOnlySpan<byte> bytes = batch.FrameBytes(index);
            int worker = _group.Steering.WorkerOf(bytes);
            bool isAlone = worker == FrameSteering.Alone;
            if (isAlone)
            {
                Dispatch();
                worker = 0;
            }

            frame.Turn = _group.Steering.MayOpen(bytes, frame.TimestampNanoseconds) ? _group.Turns.Deal() : (ushort)0;
            while (!_filling.TryAdd(worker, bytes, frame))
            {
                Dispatch();
            }

            if (isAlone)
            {
                Dispatch();
            }
        }
    }

    /// <summary>Waits until all that was taken is done and sent on.</summary>
    public void Drain()
    {
        Dispatch();
        Collect();
        _merged.Flush();
        _merged.Clear();
    }

    /// <summary>Lets time pass for all workers. After <see cref="Drain"/>.</summary>
    public void Advance(long now)
    {
        foreach (LoadBalancer member in _group.Members)
        {
            member.Advance(now, _merged);
        }

        _merged.Flush();
        _merged.Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _isOver = true;
        foreach (SemaphoreSlim work in _work)
        {
            work.Release();
        }

        foreach (Thread thread in _threads)
        {
            thread.Join();
        }

        foreach (SemaphoreSlim work in _work)
        {
            work.Dispose();
        }

        _done.Dispose();
    }

    /// <summary>Gives the block that was filled to the workers, once they are done with the one before, and sends on what that one caused.</summary>
    private void Dispatch()
    {
        if (_filling.Order.Count == 0)
        {
            return;
        }

        Block? finished = Await();
        _working = _filling;
        for (int worker = 0; worker < _work.Length; worker++)
        {
            if (_working.Shares[worker].Batch.Count > 0)
            {
                _working.Busy++;
                _work[worker].Release();
            }
        }

        if (finished is not null)
        {
            Send(finished);
        }

        _filling = ReferenceEquals(_working, _blocks[0]) ? _blocks[1] : _blocks[0];
        _filling.Clear();
    }

    private void Collect()
    {
        if (Await() is { } finished)
        {
            Send(finished);
        }
    }

    private Block? Await()
    {
        Block? block = _working;
        for (; block is { Busy: > 0 }; block.Busy--)
        {
            _done.Wait();
        }

        _working = null;
        return block;
    }

    private void Send(Block block)
    {
        foreach (byte worker in block.Order)
        {
            block.Shares[worker].PassOn(block.Positions[worker]++, _merged);
        }

        _merged.Flush();
    }

    private void Work(int worker)
    {
        LoadBalancer balancer = _group.Members[worker];
        _ = _processors?.TryPin(worker);
        while (true)
        {
            _work[worker].Wait();
            if (_isOver)
            {
                return;
            }

            balancer.Process(_working!.Shares[worker].Batch);
            _done.Release();
        }
    }

    private sealed class Block
    {
        public Block(int workers)
        {
            Shares = new WorkerShare[workers];
            Positions = new int[workers];
            for (int worker = 0; worker < workers; worker++)
            {
                Shares[worker] = new WorkerShare();
            }
        }

        public WorkerShare[] Shares { get; }

        /// <summary>For each frame, in the capture's order, whose it is.</summary>
        public List<byte> Order { get; } = new(FrameBatch.CountMax * 4);

        public int[] Positions { get; }

        public int Busy { get; set; }

        public bool TryAdd(int worker, ReadOnlySpan<byte> bytes, in FrameDescriptor frame)
        {
            if (!Shares[worker].Batch.TryAdd(bytes, frame.TimestampNanoseconds, frame.Number, frame.WireLengthBytes, frame.PortIndex))
            {
                return false;
            }

            Shares[worker].Batch.Frames[^1].Turn = frame.Turn;
            Order.Add((byte)worker);
            return true;
        }

        public void Clear()
        {
            Order.Clear();
            Array.Clear(Positions);
            foreach (WorkerShare share in Shares)
            {
                share.Clear();
            }
        }
    }
}
