using FastPathLb.Engine.Building;
using FastPathLb.Io.Captures;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Workload;

/// <summary>A capture of the workload: the handshakes of some flows, then segments of both directions in random order.</summary>
public static class PeerCapture
{
    /// <summary>Writes it.</summary>
    public static void Write(string path, int flows, int frames)
    {
        using BuiltLoadBalancer built = PeerNode.Build(flows);
        using CaptureWriter writer = CaptureWriter.Create(path, CaptureFormat.Pcap);
        PeerFlows opened = new(built, flows);
        long now = PeerFlows.StartNanoseconds;
        Span<byte> frame = stackalloc byte[PeerFrames.FrameBytes];
        foreach ((TcpFlags flags, bool isReply) in (ReadOnlySpan<(TcpFlags, bool)>)
            [(TcpFlags.Syn, false), (TcpFlags.Syn | TcpFlags.Ack, true), (TcpFlags.Ack, false)])
        {
            for (int flow = 0; flow < flows; flow++)
            {
                if (isReply)
                {
                    PeerFrames.WriteReply(
                        frame, opened.ServerOf(flow), PeerFrames.ServicePort((uint)flow), opened.NatPortOf(flow), IpProtocol.Tcp, flags);
                }
                else
                {
                    PeerFrames.WriteForward(frame, (uint)flow, IpProtocol.Tcp, flags);
                }

                writer.Write(now += PeerFlows.FrameNanoseconds, frame);
            }
        }

        FlowFrames segments = new(opened, PeerFrames.InnerBytes, Balancer.AttachPoint.Underlay);
        FrameBatch batch = new();
        for (int left = frames - (3 * flows); left > 0; left -= batch.Count)
        {
            batch.Clear();
            segments.Fill(batch);
            for (int index = 0; index < Math.Min(left, batch.Count); index++)
            {
                writer.Write(now += PeerFlows.FrameNanoseconds, batch.FrameBytes(index));
            }
        }
    }
}
