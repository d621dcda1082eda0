using System.Diagnostics.Metrics;
using System.Globalization;

namespace FastPathLb.Live.Metrics;

/// <summary>Sizes of batches and how long they take, as histograms. Recorded by the workers, once a batch, without allocation.</summary>
public sealed class BatchMeter
{
    private const double SecondsPerNanosecond = 1e-9;

    private readonly Histogram<int> _sizes;
    private readonly Histogram<double> _latencies;

    /// <summary>Makes the instruments.</summary>
    public BatchMeter(Meter meter)
    {
        _sizes = meter.CreateHistogram(
            "fastpathlb.batch.size", "{frame}", "Frames in a batch", tags: null,
            new InstrumentAdvice<int> { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128, 256] });
        _latencies = meter.CreateHistogram(
            "fastpathlb.batch.latency", "s", "From the receipt of a batch's first frame until all that it caused is sent", tags: null,
            new InstrumentAdvice<double>
            {
                HistogramBucketBoundaries = [1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 1e-1],
            });
    }

    /// <summary>Whether anybody collects them.</summary>
    public bool IsWatched => _sizes.Enabled;

    /// <summary>Takes a batch.</summary>
    /// <param name="frames">Frames in it.</param>
    /// <param name="nanoseconds">How long it took.</param>
    /// <param name="worker">Whose it was, from <see cref="TagOf"/>.</param>
    public void Record(int frames, long nanoseconds, in KeyValuePair<string, object?> worker)
    {
        _sizes.Record(frames, worker);
        _latencies.Record(nanoseconds * SecondsPerNanosecond, worker);
    }

    /// <summary>The tag of a worker's figures, to be made once.</summary>
    public static KeyValuePair<string, object?> TagOf(int worker) => new("worker", worker.ToString(CultureInfo.InvariantCulture));
}
