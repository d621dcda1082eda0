using FastPathLb.Balancer.Stack;
using FastPathLb.Balancer.Tunnel;
using FastPathLb.Engine.Building;
using FastPathLb.Pipeline;

namespace FastPathLb.Live.Running;

/// <summary>What was learned of the link ages by real time: neighbours, and the FDB where one is learned.</summary>
internal sealed class LinkAging
{
    private const long LookNanoseconds = 5_000_000;

    private const int FewFrames = 16;

    private readonly NeighborAging? _neighbors;
    private readonly ForwardingDatabase? _fdb;
    private long _lookDue = long.MinValue;

    public LinkAging(BuiltLoadBalancer built)
    {
        _neighbors = (built.Network?.Uplink.Neighbors ?? built.Namespace.Neighbors).Aging;
        _fdb = built.Network?.Fdb;
    }

    /// <summary>
    /// After a batch, before it is sent: which neighbours are used is looked at in each small batch, and in one large batch of 5 ms, so that many
    /// frames do not pay for it.
    /// </summary>
    public void Look(FrameBatch batch, long now)
    {
        if (now >= _lookDue || batch.Emitted.Length <= FewFrames)
        {
            _lookDue = now + LookNanoseconds;
            _neighbors?.Look(batch, now);
        }
    }

    /// <summary>While time passes.</summary>
    public void Advance(long now, FrameBatch batch)
    {
        _neighbors?.Advance(now, batch);
        _fdb?.Advance(now);
    }
}
