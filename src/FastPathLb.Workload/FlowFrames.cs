using FastPathLb.Balancer;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Workload;

/// <summary>Batches of segments of open connections, in the order of a full-period generator.</summary>
public sealed class FlowFrames
{
    private readonly PeerFlows _flows;
    private readonly FrameTemplate _forward;
    private readonly FrameTemplate[] _replies;
    private uint _next;
    private long _now;

    /// <summary>Makes templates for one size and attach point.</summary>
    /// <param name="flows">Open connections, a power of two.</param>
    /// <param name="innerBytes">Length of the inner frame.</param>
    /// <param name="attachPoint">Whether frames come with the envelope.</param>
    public FlowFrames(PeerFlows flows, int innerBytes, AttachPoint attachPoint)
    {
        bool hasEnvelope = attachPoint == AttachPoint.Underlay;
        _flows = flows;
        _now = flows.Now;
        _forward = FrameTemplate.Forward(TcpFlags.Ack, innerBytes, hasEnvelope);
        _replies =
        [
            FrameTemplate.Reply(0, TcpFlags.Ack, innerBytes, hasEnvelope), FrameTemplate.Reply(1, TcpFlags.Ack, innerBytes, hasEnvelope),
        ];
    }

    /// <summary>Fills an empty batch with as many frames as it takes, both directions mixed.</summary>
    public void Fill(FrameBatch batch)
    {
        for (int index = 0; index < FrameBatch.CountMax; index++)
        {
            _next = (_next * 1664525u) + 1013904223u;
            uint flow = _next & (uint)(_flows.Count - 1);
            _now += PeerFlows.FrameNanoseconds;
            Span<byte> room = batch.Reserve(_forward.LengthBytes);
            if (_next >> 31 == 0)
            {
                _forward.WriteTo(
                    room, PeerFrames.ClientAddress(flow), PeerFrames.VirtualAddress,
                    ((uint)PeerFrames.ClientPort(flow) << 16) | PeerFrames.ServicePort(flow));
            }
            else
            {
                int server = _flows.ServerOf((int)flow);
                _replies[server].WriteTo(
                    room, PeerFrames.ServerAddress(server), PeerFrames.BalancerAddress,
                    ((uint)PeerFrames.ServicePort(flow) << 16) | _flows.NatPortOf((int)flow));
            }

            batch.Commit(_forward.LengthBytes, _forward.LengthBytes, _now, 0);
        }
    }
}
