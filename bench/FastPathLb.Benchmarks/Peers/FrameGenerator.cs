using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using FastPathLb.Benchmarks.Workload;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Benchmarks.Peers;

/// <summary>
/// Fills batches as the peers' harness does: one hot template whose flow is patched, or whole frames out of a ring, in the order of
/// a full-period linear congruential generator. What it costs is measured alone and subtracted.
/// </summary>
internal sealed class FrameGenerator
{
    private const int InnerChecksum = PeerFrames.EnvelopeBytes + 14 + 10;
    private const int InnerSource = PeerFrames.EnvelopeBytes + 14 + 12;
    private const int SourcePort = PeerFrames.EnvelopeBytes + 34;
    private const int TransportChecksum = SourcePort + 16;

    private readonly FrameBatch _batch;
    private readonly int _batchSize;
    private readonly byte[] _template = new byte[PeerFrames.FrameBytes];
    private readonly FrameRing? _ring;
    private readonly bool _isSequential;
    private readonly uint _mask;
    private readonly uint _headerSum;
    private readonly uint _transportSum;
    private uint _next;

    /// <summary>Patches one template: client to virtual address.</summary>
    public FrameGenerator(FrameBatch batch, int batchSize, int flows, TcpFlags flags, bool isSequential)
    {
        _batch = batch;
        _batchSize = batchSize;
        _mask = (uint)flows - 1;
        _isSequential = isSequential;
        PeerFrames.WriteForward(_template, 0, IpProtocol.Tcp, flags);

        // The sums without what is patched: the last byte of the client's address, and the ports.
        uint client = PeerFrames.ClientAddress(0) & 0xFFFF;
        _headerSum = Without(InnerChecksum, client);
        _transportSum = Without(TransportChecksum, client + PeerFrames.ClientPort(0) + PeerFrames.ServicePort(0));
    }

    /// <summary>Copies frames from a ring; it has a power of two of them.</summary>
    public FrameGenerator(FrameBatch batch, int batchSize, FrameRing ring)
    {
        _batch = batch;
        _batchSize = batchSize;
        _ring = ring;
        _mask = (uint)ring.Count - 1;
    }

    /// <summary>Time of the next frame.</summary>
    public long Now { get; set; }

    /// <summary>Begins with flow 0 again.</summary>
    public void Restart() => _next = 0;

    /// <summary>Fills an empty batch.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public void Fill(int count)
    {
        int size = Math.Min(count, _batchSize);
        if (_ring is null)
        {
            for (int index = 0; index < size; index++)
            {
                Span<byte> room = _batch.Reserve(PeerFrames.FrameBytes);
                _template.AsSpan(0, PeerFrames.FrameBytes).CopyTo(room);
                Patch(room, Step());
                _batch.Commit(PeerFrames.FrameBytes, PeerFrames.FrameBytes, Now += PeerFlows.FrameNanoseconds, 0);
            }
        }
        else
        {
            for (int index = 0; index < size; index++)
            {
                _ring[(int)Step()][..PeerFrames.FrameBytes].CopyTo(_batch.Reserve(PeerFrames.FrameBytes));
                _batch.Commit(PeerFrames.FrameBytes, PeerFrames.FrameBytes, Now += PeerFlows.FrameNanoseconds, 0);
            }
        }
    }

    private uint Without(int checksumOffset, uint words)
    {
        uint sum = (ushort)~BinaryPrimitives.ReadUInt16BigEndian(_template.AsSpan(checksumOffset));
        for (; words != 0; words >>= 16)
        {
            sum += (ushort)~words;
        }

        return sum;
    }

    private uint Step()
    {
        uint flow = _isSequential ? _next++ : _next = (_next * 1664525u) + 1013904223u;
        return flow & _mask;
    }

    private void Patch(Span<byte> frame, uint flow)
    {
        uint client = PeerFrames.ClientAddress(flow);
        uint ports = ((uint)PeerFrames.ClientPort(flow) << 16) | PeerFrames.ServicePort(flow);
        uint low = client & 0xFFFF;
        BinaryPrimitives.WriteUInt16BigEndian(frame[InnerChecksum..], Finish(_headerSum + low));
        BinaryPrimitives.WriteUInt32BigEndian(frame[InnerSource..], client);
        BinaryPrimitives.WriteUInt32BigEndian(frame[SourcePort..], ports);
        BinaryPrimitives.WriteUInt16BigEndian(frame[TransportChecksum..], Finish(_transportSum + low + (ports >> 16) + (ports & 0xFFFF)));
    }

    private static ushort Finish(uint sum)
    {
        sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)~(sum + (sum >> 16));
    }
}
