using FastPathLb.Balancer;
using FastPathLb.Balancer.Stack;
using FastPathLb.Balancer.Tunnel;
using FastPathLb.Conntrack;

namespace FastPathLb.Engine.Building;

/// <summary>A load balancer and the parts of it that commands change.</summary>
/// <param name="Balancer">The data path.</param>
/// <param name="Device">The load balancer's own interface.</param>
/// <param name="Network">The overlay network, where the load balancer is attached at the underlay.</param>
/// <param name="Table">Its connections.</param>
/// <param name="Warnings">What of the state is not emulated, one sentence each.</param>
public sealed record BuiltLoadBalancer(
    LoadBalancer Balancer, NetworkInterface Device, OverlayNetwork? Network, ConnectionTable Table, IReadOnlyList<string> Warnings)
    : IDisposable
{
    /// <summary>The load balancer's namespace.</summary>
    public NetworkNamespace Namespace => Balancer.Namespace;

    /// <inheritdoc/>
    public void Dispose() => Table.Dispose();
}
