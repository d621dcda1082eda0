using System.Globalization;
using BenchmarkDotNet.Filters;
using BenchmarkDotNet.Running;
using FastPathLb.Balancer;
using FastPathLb.Workload;

namespace FastPathLb.Benchmarks;

/// <summary>
/// Cases of more connections than the peers' workload has: setting one up takes minutes and gigabytes. So they run with the peers' frames
/// alone, and only where there is memory; what is left out for want of it is said once.
/// </summary>
internal sealed class LargeCases : IFilter
{
    // The table at 159 bytes with a quarter more room; the baseline's dictionary of two keys each, or ports and frames.
    private const long BytesPerConnection = 159 * 5 / 4 + 128;

    private readonly long _availableBytes;
    private readonly Action<string> _tell;
    private bool _hasTold;

    /// <summary>Makes the filter.</summary>
    /// <param name="availableBytes">Memory that may be taken.</param>
    /// <param name="tell">Told in one line that cases are left out.</param>
    public LargeCases(long availableBytes, Action<string> tell)
    {
        _availableBytes = availableBytes;
        _tell = tell;
    }

    /// <summary>Memory that can be had without swapping, in bytes: the kernel's own estimate, which counts what its caches would give back.</summary>
    public static long AvailableBytes()
    {
        const string Key = "MemAvailable:";
        string? line = File.Exists("/proc/meminfo")
            ? File.ReadLines("/proc/meminfo").FirstOrDefault(line => line.StartsWith(Key, StringComparison.Ordinal))
            : null;
        return line is null
            ? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes
            : long.Parse(line[Key.Length..].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture) * 1024;
    }

    /// <inheritdoc/>
    public bool Predicate(BenchmarkCase benchmarkCase)
    {
        object? Value(string name) => benchmarkCase.Parameters.Items.FirstOrDefault(item => item.Name == name)?.Value;
        if (Value("Connections") is not int connections || connections <= PeerFrames.FlowCountMax)
        {
            return true;
        }

        if (Value("InnerBytes") is int bytes && bytes != PeerFrames.InnerBytes || Value("Attach") is AttachPoint.Overlay)
        {
            return false;
        }

        long needed = connections * BytesPerConnection;
        if (needed <= _availableBytes)
        {
            return true;
        }

        if (!_hasTold)
        {
            _hasTold = true;
            _tell(string.Create(
                CultureInfo.InvariantCulture,
                $"cases of {connections} connections are left out: they need {needed / 1e9:F1} GB, and {_availableBytes / 1e9:F1} GB are available"));
        }

        return false;
    }
}
