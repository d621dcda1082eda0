using FastPathLb.Engine.Building;
using FastPathLb.Pipeline;
using Microsoft.Extensions.Logging;

namespace FastPathLb.Live.Running;

/// <summary>What is done once for all workers, by the first: telling the link who the load balancer is, counting connections, watching the interface.</summary>
internal sealed class CommonDuties
{
    private readonly BuiltLoadBalancer _built;
    private readonly ArpAnnouncer _announcer;
    private readonly ConnectionCensus _census;
    private readonly LinkWatch _watch;
    private readonly ILogger _logger;

    public CommonDuties(BuiltLoadBalancer built, ConnectionCensus census, LinkWatch watch, ILogger logger)
    {
        _built = built;
        _announcer = new ArpAnnouncer(built);
        _census = census;
        _watch = watch;
        _logger = logger;
    }

    /// <summary>VTEPs whose next hops are asked for at the start, so that no first packet is lost to it. What they answer, all workers learn.</summary>
    public IReadOnlyList<uint> Vteps { get; init; } = [];

    /// <summary>At the start.</summary>
    public void Greet(FrameBatch batch, long now)
    {
        _announcer.Restart();
        if (_built.Network is { } network)
        {
            for (int index = 0; index < Vteps.Count; index++)
            {
                network.Uplink.Ask(Vteps[index], batch, now);
            }
        }
    }

    /// <summary>Tells the link again who the load balancer is. Between batches.</summary>
    public void Announce() => _announcer.Restart();

    /// <summary>Now and then; its frames are sent afterwards.</summary>
    public void Run(FrameBatch batch, long now)
    {
        _announcer.Run(batch, now);
        _census.Continue();
        _watch.Look(_logger);
    }
}
