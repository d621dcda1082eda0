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
    private readonly FrameBatch _batch;
    private readonly int _batchSize;
    private readonly FrameTemplate _template;
    private readonly FrameRing? _ring;
    private readonly bool _isSequential;
    private readonly uint _mask;
    private uint _next;

    /// <summary>Patches one template: client to virtual address.</summary>
    public FrameGenerator(FrameBatch batch, int batchSize, int flows, TcpFlags flags, bool isSequential)
    {
        _batch = batch;
        _batchSize = batchSize;
        _mask = (uint)flows - 1;
        _isSequential = isSequential;
        _template = FrameTemplate.Forward(flags);
    }

    /// <summary>Copies frames from a ring; it has a power of two of them.</summary>
    public FrameGenerator(FrameBatch batch, int batchSize, FrameRing ring)
    {
        _batch = batch;
        _batchSize = batchSize;
        _ring = ring;
        _template = FrameTemplate.Forward(TcpFlags.None);
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
                uint flow = Step();
                _template.WriteTo(
                    _batch.Reserve(PeerFrames.FrameBytes), PeerFrames.ClientAddress(flow), PeerFrames.VirtualAddress,
                    ((uint)PeerFrames.ClientPort(flow) << 16) | PeerFrames.ServicePort(flow));
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

    private uint Step()
    {
        uint flow = _isSequential ? _next++ : _next = (_next * 1664525u) + 1013904223u;
        return flow & _mask;
    }
}
