using FastPathLb.Workload;
using Perfolizer.Horology;

namespace FastPathLb.Benchmarks;

/// <summary>Processor time of the calling thread: what runs beside it on the machine does not lengthen it.</summary>
internal sealed class ProcessorClock : IClock
{
    public string Title => "ThreadProcessorTime";

    public bool IsAvailable => OperatingSystem.IsLinux();

    public Frequency Frequency => Frequency.FromGHz(1);

    public long GetTimestamp() => (long)LinuxInterop.ThreadNanoseconds();
}
