using BenchmarkDotNet.Attributes;
using FastPathLb.Wire;
using FastPathLb.Workload;

namespace FastPathLb.Benchmarks.Wire;

/// <summary>The Internet checksum over a header, a small and a full segment, against RFC 1071's own loop.</summary>
[MemoryDiagnoser]
public class ChecksumBenchmarks
{
    private const int SumCount = 256;

    private byte[] _bytes = [];

    [Params(20, 64, 1460)]
    public int LengthBytes { get; set; }

    [GlobalSetup]
    public void FillBytes()
    {
        _bytes = new byte[LengthBytes + SumCount];
        new Random(1).NextBytes(_bytes);
        if (WordByWord() != Vectorised())
        {
            throw new InvalidOperationException("the two sums do not agree");
        }
    }

    /// <summary>Two bytes at a time.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = SumCount)]
    public uint WordByWord()
    {
        uint all = 0;
        for (int start = 0; start < SumCount; start++)
        {
            all += (ushort)~PeerFrames.Sum(_bytes.AsSpan(start, LengthBytes), 0);
        }

        return all;
    }

    [Benchmark(OperationsPerInvoke = SumCount)]
    public uint Vectorised()
    {
        uint all = 0;
        for (int start = 0; start < SumCount; start++)
        {
            all += InternetChecksum.Compute(_bytes.AsSpan(start, LengthBytes));
        }

        return all;
    }
}
