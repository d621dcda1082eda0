using FastPathLb.Balancer;
using FastPathLb.Balancer.Workers;
using FastPathLb.Pipeline;

namespace FastPathLb.Workload;

/// <summary>
/// One worker's part of the workload: its own connections, opened, and frames of both directions of them, out of memory in random order.
/// Belongs to the worker's thread.
/// </summary>
public sealed class WorkerLoad : IDisposable
{
    private const long Minute = 60L * 1_000_000_000;
    private const int PortsOfClient = 1 << 14;

    private readonly LoadBalancer _balancer;
    private readonly FrameRing _ring;
    private readonly FrameBatch _batch = new();
    private readonly CountingSink _sink = new();
    private readonly FrameGenerator _generator;

    /// <summary>Opens a worker's connections.</summary>
    /// <param name="balancer">The worker's load balancer.</param>
    /// <param name="flows">Its connections, as <see cref="Deal"/> gives them.</param>
    public WorkerLoad(LoadBalancer balancer, int[] flows)
    {
        _balancer = balancer;
        PeerFlows opened = new(balancer, flows);
        _ring = RingOf(opened, flows);
        _batch.ConnectSink(_sink);

        // Past the timeouts of the handshake, so that each connection waits in the wheel for the long timeout.
        balancer.Advance(opened.Now + (2 * Minute), _batch);
        _generator = new FrameGenerator(_batch, FrameBatch.CountMax, _ring) { Now = balancer.Now };
    }

    /// <summary>Frames that were sent on.</summary>
    public long FramesSent => _sink.FrameCount;

    /// <summary>Deals connections to those workers to whom their frames are steered.</summary>
    public static int[][] Deal(int flows, int workers, FrameSteering? steering)
    {
        List<int>[] dealt = [.. Enumerable.Range(0, workers).Select(_ => new List<int>())];
        byte[] frame = new byte[PeerFrames.FrameBytes];
        for (int index = 0; index < flows; index++)
        {
            // One client alone, so that each connection keeps its port: with four, where ports are searched depends on who comes first.
            int flow = ((index / PortsOfClient) << 16) | (index % PortsOfClient);
            PeerFlows.WriteForward(frame, flow);
            dealt[steering?.WorkerOf(frame) ?? 0].Add(flow);
        }

        return [.. dealt.Select(own => own.ToArray())];
    }

    /// <summary>Makes frames, and processes them.</summary>
    /// <param name="frames">How many.</param>
    /// <param name="hasWork">Whether they are processed, or made alone.</param>
    /// <returns>Processor time of the calling thread for a frame, in nanoseconds.</returns>
    public double Run(int frames, bool hasWork) => TimedPass.Run(_balancer, _batch, _generator, frames, hasWork);

    /// <inheritdoc/>
    public void Dispose() => _ring.Dispose();

    private static FrameRing RingOf(PeerFlows opened, int[] flows)
    {
        FrameRing ring = new(flows.Length * 2);
        for (int index = 0; index < flows.Length; index++)
        {
            PeerFlows.WriteForward(ring[index * 2][..PeerFrames.FrameBytes], flows[index]);
            opened.WriteReply(ring[(index * 2) + 1][..PeerFrames.FrameBytes], index);
        }

        return ring;
    }
}
