using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;
using FastPathLb.Pipeline;

namespace FastPathLb.Engine.Replaying;

/// <summary>
/// Reads batches ahead of a worker, and writes behind it what it made of them, on a thread of its own: the kernel's share of a file's way
/// in and out is as large as the data path's.
/// </summary>
/// <remarks>
/// <code>
///  relay's thread:  read 4 | write 1 | read 5 | write 2 ...      a ring of batches, each with one owner at a time
///  worker:            process 2 | process 3 | process 4 ...
/// </code>
/// Batches are read, processed and written in one order, so what comes out is the same as on one thread. Source and sink are used by one
/// thread at a time (<c>_files</c>): the worker needs the sink itself when what a batch causes finds no more room in it.
/// </remarks>
internal sealed class BatchRelay : IDisposable
{
    /// <summary>Batches under way: enough to hide a thread's waking up, few enough to stay in a cache.</summary>
    public const int BatchCount = 8;

    private readonly IFrameSource _source;
    private readonly IFrameSink _sink;
    private readonly FrameBatch[] _batches = new FrameBatch[BatchCount];

    // Batches to process, the last of them empty; batches to write, and one more when there will be none.
    private readonly SemaphoreSlim _filled = new(0);
    private readonly SemaphoreSlim _processed = new(0);
    private readonly Lock _files = new();
    private readonly Thread _thread;

    // Written by its thread alone: says that batches before this one are in the sink. Who reads it late waits a little longer.
    private long _writtenCount;

    // Written by the worker alone, published by the release of _processed after it.
    private long _processedCount;

    // The worker takes no more. Who reads it late reads one more batch for nothing.
    private volatile bool _isStopped;

    // The sink takes no more. Who reads it late processes one more batch for nothing.
    private volatile bool _isSinkFailed;

    // Published by the end of the thread, or by _isSinkFailed.
    private ExceptionDispatchInfo? _failure;

    /// <summary>Makes a relay; nothing is read yet.</summary>
    public BatchRelay(IFrameSource source, IFrameSink sink)
    {
        _source = source;
        _sink = sink;
        OrderedSink ordered = new(this);
        for (int index = 0; index < BatchCount; index++)
        {
            _batches[index] = new FrameBatch();
            _batches[index].ConnectSink(ordered);
        }

        _thread = new Thread(ReadAndWrite) { IsBackground = true, Name = "capture files" };
    }

    /// <summary>Runs to the source's end, or until told to stop; then all that was processed is written.</summary>
    /// <param name="process">Takes a batch of frames; what it emits is sent afterwards.</param>
    /// <param name="stopping">Ends it early.</param>
    /// <exception cref="IOException">Reading or writing failed; what was read before a failure of reading is written.</exception>
    public void Run(Action<FrameBatch> process, CancellationToken stopping)
    {
        _thread.Start();
        try
        {
            while (!stopping.IsCancellationRequested)
            {
                _filled.Wait(CancellationToken.None);
                FrameBatch batch = _batches[_processedCount % BatchCount];
                if (_isSinkFailed || batch.Count == 0)
                {
                    break;
                }

                process(batch);
                _processedCount++;
                _processed.Release();
            }
        }
        finally
        {
            _isStopped = true;
            _processed.Release();
            _thread.Join();
        }

        _failure?.Throw();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _filled.Dispose();
        _processed.Dispose();
    }

    [SuppressMessage("Design", "CA1031", Justification = "Thrown again on the worker's thread.")]
    private void ReadAndWrite()
    {
        try
        {
            long readCount = 0;
            bool isOpen = true;
            while (true)
            {
                bool canRead = isOpen && !_isStopped && readCount - _writtenCount < BatchCount;
                if (!_processed.Wait(canRead ? 0 : Timeout.Infinite, CancellationToken.None))
                {
                    isOpen = Read(_batches[readCount++ % BatchCount]);
                    _filled.Release();
                }
                else if (_isStopped && _writtenCount == Volatile.Read(ref _processedCount))
                {
                    return;
                }
                else
                {
                    lock (_files)
                    {
                        _batches[_writtenCount % BatchCount].Flush();
                    }

                    Volatile.Write(ref _writtenCount, _writtenCount + 1);
                }
            }
        }
        catch (Exception failure)
        {
            _failure = ExceptionDispatchInfo.Capture(failure);
            _isSinkFailed = true;
            _filled.Release();
        }
    }

    /// <summary>Fills a batch, or leaves it empty at the end.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "Thrown again on the worker's thread.")]
    private bool Read(FrameBatch batch)
    {
        batch.Clear();
        try
        {
            lock (_files)
            {
                while (batch.Count == 0 && _source.Receive(batch))
                {
                }
            }
        }
        catch (Exception failure)
        {
            // What was read is processed and written first.
            _failure = ExceptionDispatchInfo.Capture(failure);
            batch.Clear();
        }

        return batch.Count > 0;
    }

    /// <summary>What batches send to: in the order of the batches, whoever sends.</summary>
    private sealed class OrderedSink(BatchRelay relay) : IFrameSink
    {
        public void Send(FrameBatch batch)
        {
            if (relay._files.IsHeldByCurrentThread)
            {
                relay._sink.Send(batch);
                return;
            }

            // The worker, in the middle of a batch: those before it go first.
            SpinWait wait = default;
            while (Volatile.Read(ref relay._writtenCount) != relay._processedCount)
            {
                if (relay._isSinkFailed)
                {
                    relay._failure?.Throw();
                }

                wait.SpinOnce();
            }

            lock (relay._files)
            {
                relay._sink.Send(batch);
            }
        }
    }
}
