using FastPathLb.Balancer;
using FastPathLb.Cli.Options;
using FastPathLb.NodeState;

namespace FastPathLb.Cli.Running;

/// <summary>Tasks on the load balancer's own node: their frames reach it over the bridge, unseen by a capture of the underlay.</summary>
internal static class LocalTasks
{
    /// <summary>Why a plan's capture cannot be judged alone; null where it can.</summary>
    public static string? ReasonAgainst(ReplayPlan plan)
    {
        if (plan.Balancer.AttachPoint != AttachPoint.Underlay || !plan.Node.Namespaces.TryGetValue("overlay", out NamespaceState? overlay))
        {
            return null;
        }

        // One port of the bridge is the load balancer's own.
        int ports = 0;
        foreach (InterfaceState device in overlay.Interfaces)
        {
            ports += device is { Kind: "veth", Master: not null } ? 1 : 0;
        }

        return ports > 1 ? "left out: tasks run on this node, and the underlay does not show their frames" : null;
    }
}
