using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.ExceptionServices;
using FastPathLb.Conntrack;

namespace FastPathLb.Engine.Placing;

/// <summary>The processors that workers run on: worker i on the i-th. Any thread.</summary>
public sealed class ProcessorList
{
    private readonly int[] _processors;

    private ProcessorList(int[] processors) => _processors = processors;

    /// <summary>Number of processors.</summary>
    public int Count => _processors.Length;

    /// <summary>The processor of a worker.</summary>
    public int this[int worker] => _processors[worker];

    /// <summary>Reads a list in the kernel's notation, <c>0,2-3</c>.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out ProcessorList? list)
    {
        list = KernelList.TryParse(text, out int[] processors) ? new ProcessorList(processors) : null;
        return list is not null;
    }

    /// <summary>One processor.</summary>
    public static ProcessorList Of(int processor) => new([processor]);

    /// <summary>The processors that the calling thread may use, ascending: those of the process, until a thread is pinned.</summary>
    public static ProcessorList Allowed() => new(
        (OperatingSystem.IsLinux() ? AffinityInterop.Read() : null) ?? [.. Enumerable.Range(0, Environment.ProcessorCount)]);

    /// <summary>Why so many workers cannot run on it here, in one sentence, or null.</summary>
    public string? FindProblem(int workers) =>
        !OperatingSystem.IsLinux() ? "workers are put on processors by Linux's sched_setaffinity; other systems have none"
        : FindProblem(workers, KernelList.ReadFile("/sys/devices/system/cpu/online"), Allowed()._processors);

    /// <summary>Keeps the calling thread on a worker's processor.</summary>
    /// <returns>Whether it was done: not where the processor is gone, or not the process's (<see cref="FindProblem(int)"/>).</returns>
    public bool TryPin(int worker) => OperatingSystem.IsLinux() && AffinityInterop.TryWrite(_processors[worker]);

    /// <summary>
    /// Does a worker's work on a thread of its own, on its processor, and waits for it: the calling thread stays free, and so do threads
    /// that are started meanwhile (the runtime's own, too), which take the main thread's processors.
    /// </summary>
    /// <exception cref="IOException">The thread cannot be put there.</exception>
    [SuppressMessage("Design", "CA1031", Justification = "Thrown again on the calling thread.")]
    public void Run(int worker, Action work)
    {
        ExceptionDispatchInfo? failure = null;
        Thread thread = new(() =>
        {
            try
            {
                if (!TryPin(worker))
                {
                    throw new IOException(string.Create(
                        CultureInfo.InvariantCulture, $"a worker cannot run on processor {_processors[worker]}: the system refuses"));
                }

                work();
            }
            catch (Exception exception)
            {
                failure = ExceptionDispatchInfo.Capture(exception);
            }
        })
        {
            IsBackground = true,
            Name = string.Create(CultureInfo.InvariantCulture, $"worker {worker}"),
        };
        thread.Start();
        thread.Join();
        failure?.Throw();
    }

    /// <inheritdoc/>
    public override string ToString() => KernelList.Format(_processors);

    /// <summary>The same on another machine.</summary>
    /// <param name="workers">Workers.</param>
    /// <param name="online">Processors that there are; null where that is not known.</param>
    /// <param name="allowed">Those of them that the process may use.</param>
    internal string? FindProblem(int workers, int[]? online, int[] allowed)
    {
        foreach (int processor in _processors)
        {
            if (online is not null && Array.IndexOf(online, processor) < 0)
            {
                return string.Create(CultureInfo.InvariantCulture, $"there is no processor {processor} here, but {KernelList.Format(online)}");
            }

            if (Array.IndexOf(allowed, processor) < 0)
            {
                return string.Create(
                    CultureInfo.InvariantCulture,
                    $"this process may not use processor {processor}, but {KernelList.Format(allowed)} (cpuset, taskset)");
            }
        }

        return Count >= workers ? null
            : string.Create(CultureInfo.InvariantCulture, $"{workers} workers need a processor each, and it names {Count}");
    }
}
