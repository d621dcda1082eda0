using System.Globalization;
using FastPathLb.Engine.Placing;

namespace FastPathLb.Live.Running;

/// <summary>
/// Workers on threads of their own, the first on the caller's unless it has a processor of its own. They begin and end together.
/// </summary>
public sealed class WorkerCrew
{
    private readonly IReadOnlyList<LiveWorker> _workers;
    private readonly WorkerMailbox _mailbox;
    private readonly ProcessorList? _processors;

    /// <summary>Joins workers.</summary>
    /// <param name="workers">The workers, in the order of their numbers.</param>
    /// <param name="mailbox">What others ask of the load balancer.</param>
    /// <param name="processors">Where they run, or null where the system chooses.</param>
    public WorkerCrew(IReadOnlyList<LiveWorker> workers, WorkerMailbox mailbox, ProcessorList? processors = null)
    {
        _processors = processors;
        _workers = workers;
        _mailbox = mailbox;
    }

    /// <summary>Runs until told to stop, or until the device of one of them is gone.</summary>
    /// <returns>Why the device is gone, or null.</returns>
    public string? Run(CancellationToken stopping)
    {
        using CancellationTokenSource ending = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        string?[] failures = new string?[_workers.Count];
        Thread[] threads = new Thread[_workers.Count - 1];
        for (int number = 1; number < _workers.Count; number++)
        {
            int own = number;
            threads[own - 1] = new Thread(() => Serve(own)) { IsBackground = true, Name = $"worker {own}" };
            threads[own - 1].Start();
        }

        try
        {
            if (_processors is null)
            {
                Serve(0);
            }
            else
            {
                _processors.Run(0, () => Serve(0));
            }
        }
        finally
        {
            foreach (Thread thread in threads)
            {
                thread.Join();
            }

            _mailbox.End();
        }

        return Array.Find(failures, failure => failure is not null);

        void Serve(int number)
        {
            try
            {
                failures[number] = number > 0 && _processors?.TryPin(number) == false
                    ? string.Create(CultureInfo.InvariantCulture, $"worker {number} cannot run on processor {_processors[number]}: the system refuses")
                    : _workers[number].Run(ending.Token);
            }
            finally
            {
                ending.Cancel();
            }
        }
    }
}
