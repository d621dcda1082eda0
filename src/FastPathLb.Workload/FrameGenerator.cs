using System.Runtime.CompilerServices;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Workload;

/// <summary>
/// Fills batches as the peers' harness does: one hot template whose flow is patched, or whole frames out of a ring, in the order of
/// a full-period linear congruential generator. What it costs is measured alone and subtracted.
/// </summary>
public sealed class FrameGenerator
{
    private readonly FrameBatch _batch;
    private readonly int _batchSize;
    private readonly FrameTemplate _template;
    private readonly FrameRing? _ring;
    private readonly uint _mask;
    private readonly uint _last = uint.MaxValue;
    private uint _next;

    /// <summary>Patches one template: client to virtual address.</summary>
    /// <param name="batch">The batch to fill.</param>
    /// <param name="batchSize">Frames of a batch.</param>
    /// <param name="flows">Flows, a power of two.</param>
    /// <param name="flags">TCP flags of all frames.</param>
    /// <param name="isSequential">Whether flows come one after the other.</param>
    /// <param name="innerBytes">Length of the inner frame.</param>
    public FrameGenerator(
        FrameBatch batch, int batchSize, int flows, TcpFlags flags, bool isSequential, int innerBytes = PeerFrames.InnerBytes)
    {
        _batch = batch;
        _batchSize = batchSize;
        _mask = (uint)flows - 1;
        IsSequential = isSequential;
        _template = FrameTemplate.Forward(flags, innerBytes);
    }

    /// <summary>Copies frames from a ring: every one in turn, where it has a power of two of them.</summary>
    public FrameGenerator(FrameBatch batch, int batchSize, FrameRing ring)
    {
        _batch = batch;
        _batchSize = batchSize;
        _ring = ring;
        _template = FrameTemplate.Forward(TcpFlags.None);
        _mask = System.Numerics.BitOperations.RoundUpToPowerOf2((uint)ring.Count) - 1;
        _last = (uint)ring.Count - 1;
    }

    /// <summary>Whether flows come one after the other, not at random.</summary>
    public bool IsSequential { get; init; }

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
            int lengthBytes = _template.LengthBytes;
            for (int index = 0; index < size; index++)
            {
                uint flow = Step();
                _template.WriteTo(
                    _batch.Reserve(lengthBytes), PeerFrames.ClientAddress(flow), PeerFrames.VirtualAddress,
                    ((uint)PeerFrames.ClientPort(flow) << 16) | PeerFrames.ServicePort(flow));
                _batch.Commit(lengthBytes, lengthBytes, Now += PeerFlows.FrameNanoseconds, 0);
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
        while (true)
        {
            uint flow = (IsSequential ? _next++ : _next = (_next * 1664525u) + 1013904223u) & _mask;
            if (flow <= _last)
            {
                return flow;
            }
        }
    }
}
