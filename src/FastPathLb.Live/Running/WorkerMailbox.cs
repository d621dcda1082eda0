using System.Collections.Concurrent;
using FastPathLb.Live.Interop;

namespace FastPathLb.Live.Running;

/// <summary>
/// What others ask of a worker, done between two of its batches: the only way to its load balancer from another thread. Posting:
/// any thread. Running: the worker.
/// </summary>
public sealed class WorkerMailbox : IDisposable
{
    private readonly ConcurrentQueue<Action> _queue = new();
    private readonly Lock _closing = new();
    private readonly Lock _ended = new();
    private int _descriptor;
    private bool _isClosed;
    private bool _hasEnded;

    /// <summary>Makes a mailbox.</summary>
    /// <exception cref="DeviceException">The process has no descriptor left.</exception>
    public WorkerMailbox()
    {
        _descriptor = LibcInterop.EventDescriptor(0, LibcInterop.NonBlocking | LibcInterop.CloseOnExec);
        if (_descriptor < 0)
        {
            throw DeviceException.Of("eventfd", "cannot be made", LibcInterop.LastError);
        }
    }

    /// <summary>Readable while something waits; for <c>poll</c>.</summary>
    public int WakeDescriptor => _descriptor;

    /// <summary>Whether something waits. Cheap enough to be asked after each batch.</summary>
    public bool HasWork => !_queue.IsEmpty;

    /// <summary>Asks the worker for something and waits for it. After its end the caller does it itself: last figures are still read.</summary>
    /// <exception cref="TimeoutException">The worker did not come to it: it has not begun, or the machine is overloaded.</exception>
    public T Ask<T>(Func<T> work, TimeSpan patience)
    {
        TaskCompletionSource<T> result = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_ended)
        {
            if (_hasEnded)
            {
                return work();
            }

            Post(() => Answer(work, result));
        }

        return WaitFor(result.Task, patience)
            ? result.Task.GetAwaiter().GetResult()
            : throw new TimeoutException("the load balancer's worker did not answer in time");
    }

    /// <summary>Asks the worker for something, and does not wait.</summary>
    public void Post(Action work)
    {
        _queue.Enqueue(work);
        Wake();
    }

    /// <summary>Ends a wait of the worker's.</summary>
    public void Wake()
    {
        lock (_closing)
        {
            if (!_isClosed)
            {
                ulong one = 1;
                _ = LibcInterop.Write(_descriptor, System.Runtime.InteropServices.MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(in one)));
            }
        }
    }

    /// <summary>Does what waits. The worker, between batches.</summary>
    public void Run()
    {
        Span<byte> count = stackalloc byte[sizeof(ulong)];
        _ = LibcInterop.Read(_descriptor, count);
        while (_queue.TryDequeue(out Action? work))
        {
            work();
        }
    }

    /// <summary>Does what still waits, for the last time: from now on who asks does it himself. The worker, at its end.</summary>
    public void End()
    {
        lock (_ended)
        {
            Run();
            _hasEnded = true;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_closing)
        {
            if (!_isClosed)
            {
                _isClosed = true;
                _ = LibcInterop.Close(_descriptor);
                _descriptor = -1;
            }
        }
    }

    private static void Answer<T>(Func<T> work, TaskCompletionSource<T> result)
    {
        try
        {
            result.SetResult(work());
        }
#pragma warning disable CA1031 // Whoever asked gets what went wrong; the worker goes on.
        catch (Exception problem)
#pragma warning restore CA1031
        {
            result.SetException(problem);
        }
    }

    private static bool WaitFor(Task task, TimeSpan patience)
    {
        try
        {
            return task.Wait(patience);
        }
        catch (AggregateException)
        {
            // The result says what went wrong.
            return true;
        }
    }
}
