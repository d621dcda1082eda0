using System.Numerics;
using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>Finds the node's own underlay address, and fills what the host's dumps lack.</summary>
internal static class HostInference
{
    // Wider than any underlay subnet that one would guess is no use as a guess.
    private const int PrefixLengthMax = 24;

    /// <summary>The node's underlay address: dumped, or by what the tunnels and Docker say of it; null where nothing does.</summary>
    public static Ipv4Address? FindUnderlayAddress(NodeDraft node)
    {
        Ipv4Address[] peers = [.. node.Docker.Networks.SelectMany(network => network.Peers).Select(peer => peer.Address).Distinct()];
        NamespaceDraft? host = node.Find("host");
        foreach (InterfaceAddress address in (host?.Interfaces ?? []).SelectMany(device => device.Addresses))
        {
            if (peers.Contains(address.Address))
            {
                return address.Address;
            }
        }

        if (node.Docker.Info?.NodeAddress is { } told)
        {
            return told;
        }

        if (SwarmDevices.Uplink(host?.Interfaces ?? []) is { } uplink)
        {
            return uplink.Addresses[0].Address;
        }

        foreach (InterfaceState device in Overlays(node).SelectMany(space => space.Interfaces ?? []))
        {
            if (device.Vxlan?.Local is { } local)
            {
                return local;
            }
        }

        foreach (DockerNetwork network in node.Docker.Networks)
        {
            foreach (DockerNetworkTask task in network.Services.SelectMany(service => service.Tasks))
            {
                if (task.HostAddress is { } address
                    && network.Endpoints.Any(own => own.EndpointId == task.EndpointId || own.Address == task.Address))
                {
                    return address;
                }
            }
        }

        Ipv4Address[] remote = [.. RemoteVteps(node)];
        Ipv4Address[] left = [.. peers.Except(remote)];
        return left.Length == 1 && remote.Length > 0 ? left[0] : null;
    }

    /// <summary>Fills the host's namespace, or leaves it out where nothing tells the underlay address.</summary>
    public static void Complete(NodeDraft node, Ipv4Address? local)
    {
        if (node.Find("host") is null && (local is null || !Overlays(node).Any()))
        {
            return;
        }

        NamespaceDraft host = node.GetOrAdd("host");
        Ipv4Address[] vteps =
        [
            .. RemoteVteps(node).Concat(node.Docker.Networks.SelectMany(network => network.Peers).Select(peer => peer.Address))
                .Where(address => address != local).Distinct().Order(),
        ];
        if (host.Interfaces is null)
        {
            if (local is not { } address)
            {
                throw node.Problem($"{node.FileOf(host, "ip-addr")} is missing, and nothing tells the node's underlay address");
            }

            InferInterfaces(node, host, address, vteps);
        }

        GatewayBridgeInference.Complete(node, host);
        InterfaceState? uplink = host.Interfaces!.FirstOrDefault(device => device.Addresses.Any(address => address.Address == local))
            ?? SwarmDevices.Uplink(host.Interfaces!);
        host.Routes ??= SwarmDevices.OnLinkRoutes(host.Interfaces!);
        if (host.Neighbors is null && uplink is not null)
        {
            host.Neighbors =
            [
                .. vteps.Select(vtep => new NeighborState(vtep, uplink.Name, MacAddress.FromDocker(vtep), NeighborState.InferredState)),
            ];
            node.Inferred.Add(
                $"{node.FileOf(host, "ip-neigh")} is missing: "
                + (vteps.Length == 0
                    ? "no other node is known."
                    : $"02:42 and the address stand in for the MACs of {string.Join(", ", vteps)}."));
        }
    }

    private static void InferInterfaces(NodeDraft node, NamespaceDraft host, Ipv4Address address, Ipv4Address[] vteps)
    {
        // Long enough a subnet to have every other node on link.
        int length = PrefixLengthMax;
        foreach (Ipv4Address vtep in vteps)
        {
            length = Math.Min(length, BitOperations.LeadingZeroCount(vtep.Value ^ address.Value));
        }

        MacAddress mac = MacAddress.FromDocker(address);
        InterfaceAddress own = new(address, length, "global");
        host.Interfaces =
        [
            SwarmDevices.Loopback,
            SwarmDevices.Port(2, "eth0", null, mac, SwarmDevices.UnderlayMtu, own) with { Kind = "ether" },
        ];
        node.Inferred.Add($"{node.FileOf(host, "ip-addr")} is missing: eth0 has {address}/{length}, and {mac} stands in for its MAC.");
    }

    private static IEnumerable<NamespaceDraft> Overlays(NodeDraft node) => node.Namespaces.Where(space => space.IsOverlay);

    private static IEnumerable<Ipv4Address> RemoteVteps(NodeDraft node) =>
        Overlays(node)
            .SelectMany(space => space.Fdb ?? [])
            .Where(entry => entry.Destination is not null)
            .Select(entry => entry.Destination!.Value)
            .Distinct();
}
