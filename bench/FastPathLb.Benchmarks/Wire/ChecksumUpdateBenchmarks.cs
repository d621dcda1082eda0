using System.Buffers.Binary;
using BenchmarkDotNet.Attributes;
using FastPathLb.Wire;
using FastPathLb.Workload;

namespace FastPathLb.Benchmarks.Wire;

/// <summary>A TCP segment gets a new source and a new destination: its checksum updated (RFC 1624), or computed again.</summary>
[MemoryDiagnoser]
public class ChecksumUpdateBenchmarks
{
    private const int SegmentCount = 256;
    private const int ChecksumOffset = 16;

    private static readonly Ipv4Address s_source = new(0x0A000105);
    private static readonly Ipv4Address s_destination = new(0x0A000103);

    private byte[] _segment = [];

    /// <summary>TCP header and payload: the peers' segment, and a full one.</summary>
    [Params(30, 1460)]
    public int LengthBytes { get; set; }

    [GlobalSetup]
    public void FillSegment()
    {
        _segment = new byte[LengthBytes];
        new Random(1).NextBytes(_segment);
    }

    /// <summary>All of it, two bytes at a time.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = SegmentCount)]
    public uint RecomputeWordByWord()
    {
        uint all = 0;
        for (ushort port = 0; port < SegmentCount; port++)
        {
            Rewrite(port);
            BinaryPrimitives.WriteUInt16BigEndian(_segment.AsSpan(ChecksumOffset), 0);
            uint pseudo = InternetChecksum.PseudoHeaderSum(s_source, s_destination, IpProtocol.Tcp, _segment.Length);
            all += (ushort)~PeerFrames.Sum(_segment, pseudo);
        }

        return all;
    }

    /// <summary>All of it, in vectors.</summary>
    [Benchmark(OperationsPerInvoke = SegmentCount)]
    public uint Recompute()
    {
        uint all = 0;
        for (ushort port = 0; port < SegmentCount; port++)
        {
            Rewrite(port);
            BinaryPrimitives.WriteUInt16BigEndian(_segment.AsSpan(ChecksumOffset), 0);
            all += InternetChecksum.ComputeTransport(s_source, s_destination, IpProtocol.Tcp, _segment);
        }

        return all;
    }

    /// <summary>What changed.</summary>
    [Benchmark(OperationsPerInvoke = SegmentCount)]
    public uint Update()
    {
        uint all = 0;
        for (ushort port = 0; port < SegmentCount; port++)
        {
            ushort old = BinaryPrimitives.ReadUInt16BigEndian(_segment);
            Rewrite(port);
            ChecksumDelta delta = default;
            delta.Replace(0x0A000110u, s_source.Value);
            delta.Replace(0x0A000102u, s_destination.Value);
            delta.Replace(old, port);
            Span<byte> field = _segment.AsSpan(ChecksumOffset);
            ushort updated = delta.ApplyTo(BinaryPrimitives.ReadUInt16BigEndian(field));
            BinaryPrimitives.WriteUInt16BigEndian(field, updated);
            all += updated;
        }

        return all;
    }

    private void Rewrite(ushort port) => BinaryPrimitives.WriteUInt16BigEndian(_segment, port);
}
