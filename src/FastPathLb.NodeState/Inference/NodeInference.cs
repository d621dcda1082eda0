using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>Completes a dump: adds the namespaces that Docker's inspects show, then fills each.</summary>
internal static class NodeInference
{
    /// <summary>Does all of it, and says in the draft what was inferred.</summary>
    public static void Complete(NodeDraft node)
    {
        AddNamespaces(node);
        Ipv4Address? local = HostInference.FindUnderlayAddress(node);
        foreach (NamespaceDraft space in node.FindAll(space => space.IsBalancer))
        {
            Try(node, space, () => new BalancerInference(node, space).Complete());
        }

        foreach (NamespaceDraft space in node.FindAll(space => space.IsOverlay))
        {
            Try(node, space, () => new OverlayInference(node, space).Complete(local));
        }

        HostInference.Complete(node, local);
        if (node.Namespaces.Count == 0)
        {
            throw node.Problem(
                "nothing here tells of a load balancer: expected dumps such as lb.ip-addr.txt, lb.iptables-save.txt, lb.ipvsadm-save.txt, "
                + "or network-inspect-v.NET.json (collect.sh makes them)");
        }
    }

    // Without the network's own balancer and bridge there is nothing to do; the others may be left out.
    private static void Try(NodeDraft node, NamespaceDraft space, Action complete)
    {
        try
        {
            complete();
        }
        catch (NodeStateException exception) when (space.Name is not ("lb" or "overlay") && node.Find("lb") is not null)
        {
            node.LeaveOut(space, exception.Problem);
        }
    }

    // A network on this node has a balancer and a bridge, dumped or not.
    private static void AddNamespaces(NodeDraft node)
    {
        DockerNetwork? first = node.NetworkOf(new NamespaceDraft("lb"));
        foreach (DockerNetwork network in node.Docker.Networks)
        {
            if (network is not { IsOverlay: true, LoadBalancer: not null })
            {
                continue;
            }

            string name = network.IsIngress ? "ingress" : network == first ? "lb" : $"lb-{network.Name}";
            bool isWanted = network.IsVerbose || network == first;
            if (isWanted)
            {
                NamespaceDraft space = node.GetOrAdd(name);
                if (network.Vnis.Count > 0)
                {
                    node.GetOrAdd(space.OverlayName);
                }
            }
        }
    }
}
