using FastPathLb.NodeState;

namespace FastPathLb.Topology;

/// <summary>An ingress sandbox that knows no way back to the world.</summary>
internal sealed class SandboxWithoutDefaultRoute() : LintCheck(
    "sandbox-without-default-route",
    LintSeverity.Fault,
    "published ports hang for clients outside: replies end in the ingress sandbox",
    "Restart docker on this node, so that docker_gwbridge and the sandbox's end of it are made anew")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        if (subject.Node.Namespaces.TryGetValue("ingress", out NamespaceState? sandbox)
            && subject.Places.Has("ingress", "ip-route")
            && subject.Swarm.Ports.Any(port => port.Mode == "ingress")
            && !sandbox.Routes.Any(route => route.Destination.Length == 0 && route.Via is not null))
        {
            yield return Found("the ingress sandbox has no default route", subject.Places.At("ingress", "ip-route"));
        }
    }
}
