using System.Collections.Concurrent;
using FastPathLb.Balancer.Workers;

namespace FastPathLb.Live.Running;

/// <summary>
/// What others ask of the load balancer, done by its first worker between two of its batches, while all others rest: the only way to it from another
/// thread. Posting: any thread. Running: the first worker.
/// </summary>
public sealed class WorkerMailbox
{
    private const int FirstWorker = 0;

    private readonly ConcurrentQueue<Action> _queue = new();
    private readonly Lock _ended = new();
    private readonly WorkerAlarm _alarm;
    private readonly WorkerGate? _gate;
    private bool _hasEnded;

    /// <summary>Makes a mailbox.</summary>
    /// <param name="alarm">What wakes the first worker.</param>
    /// <param name="gate">What has the others rest, where there are others.</param>
    public WorkerMailbox(WorkerAlarm alarm, WorkerGate? gate = null)
    {
        _alarm = alarm;
        _gate = gate;
    }

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
        _alarm.Ring();
    }

    /// <summary>Does what waits. The first worker, between batches.</summary>
    public void Run()
    {
        if (_gate is null)
        {
            RunAll();
            return;
        }

        _gate.Begin(FirstWorker);
        _gate.Hold(FirstWorker);
        try
        {
            RunAll();
        }
        finally
        {
            _gate.Release(FirstWorker);
            _gate.End(FirstWorker);
        }
    }

    /// <summary>Does what still waits, for the last time: from now on who asks does it himself. Once all workers have ended.</summary>
    public void End()
    {
        lock (_ended)
        {
            Run();
            _hasEnded = true;
        }
    }

    private void RunAll()
    {
        while (_queue.TryDequeue(out Action? work))
        {
            work();
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
