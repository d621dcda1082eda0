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
        AddressList peers = PeersOf(node);
        NamespaceDraft? host = node.Find("host");
        foreach (InterfaceState device in host?.Interfaces ?? [])
        {
            foreach (InterfaceAddress address in device.Addresses)
            {
                if (peers.Contains(address.Address))
                {
                    return address.Address;
                }
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

        foreach (NamespaceDraft space in Overlays(node))
        {
            foreach (InterfaceState device in space.Interfaces ?? [])
            {
                if (device.Vxlan?.Local is { } local)
                {
                    return local;
                }
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

        AddressList remote = RemoteVteps(node);
        AddressList left = new();
        for (int index = 0; index < peers.Count; index++)
        {
            if (!remote.Contains(peers[index]))
            {
                left.Add(peers[index]);
            }
        }

        return left.Count == 1 && remote.Count > 0 ? left[0] : null;
    }

    /// <summary>Fills the host's namespace, or leaves it out where nothing tells the underlay address.</summary>
    public static void Complete(NodeDraft node, Ipv4Address? local)
    {
        if (node.Find("host") is null && (local is null || Overlays(node).Count == 0))
        {
            return;
        }

        NamespaceDraft host = node.GetOrAdd("host");
        AddressList vteps = VtepsOfOthers(node, local);
        if (host.Interfaces is null)
        {
            if (local is not { } address)
            {
                throw node.Problem($"{node.FileOf(host, "ip-addr")} is missing, and nothing tells the node's underlay address");
            }

            InferInterfaces(node, host, address, vteps);
        }

        GatewayBridgeInference.Complete(node, host);
        InterfaceState? uplink = FindDevice(host.Interfaces!, local) ?? SwarmDevices.Uplink(host.Interfaces!);
        host.Routes ??= SwarmDevices.OnLinkRoutes(host.Interfaces!);
        if (host.Neighbors is null && uplink is not null)
        {
            List<NeighborState> neighbors = [];
            for (int index = 0; index < vteps.Count; index++)
            {
                neighbors.Add(new NeighborState(
                    vteps[index], uplink.Name, MacAddress.FromDocker(vteps[index]), NeighborState.InferredState));
            }

            host.Neighbors = neighbors;
            node.Inferred.Add(
                $"{node.FileOf(host, "ip-neigh")} is missing: "
                + (vteps.Count == 0 ? "no other node is known." : $"02:42 and the address stand in for the MACs of {vteps}."));
        }
    }

    private static InterfaceState? FindDevice(IReadOnlyList<InterfaceState> devices, Ipv4Address? own)
    {
        foreach (InterfaceState device in devices)
        {
            foreach (InterfaceAddress address in device.Addresses)
            {
                if (address.Address == own)
                {
                    return device;
                }
            }
        }

        return null;
    }

    private static void InferInterfaces(NodeDraft node, NamespaceDraft host, Ipv4Address address, AddressList vteps)
    {
        // Long enough a subnet to have every other node on link.
        int length = PrefixLengthMax;
        for (int index = 0; index < vteps.Count; index++)
        {
            length = Math.Min(length, BitOperations.LeadingZeroCount(vteps[index].Value ^ address.Value));
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

    private static List<NamespaceDraft> Overlays(NodeDraft node) => node.FindAll(space => space.IsOverlay);

    private static AddressList PeersOf(NodeDraft node)
    {
        AddressList peers = new();
        foreach (DockerNetwork network in node.Docker.Networks)
        {
            foreach (DockerPeer peer in network.Peers)
            {
                peers.AddNew(peer.Address);
            }
        }

        return peers;
    }

    private static AddressList RemoteVteps(NodeDraft node)
    {
        AddressList vteps = new();
        foreach (NamespaceDraft space in Overlays(node))
        {
            foreach (FdbEntryState entry in space.Fdb ?? [])
            {
                if (entry.Destination is { } destination)
                {
                    vteps.AddNew(destination);
                }
            }
        }

        return vteps;
    }

    private static AddressList VtepsOfOthers(NodeDraft node, Ipv4Address? local)
    {
        AddressList vteps = new();
        foreach (AddressList part in (AddressList[])[RemoteVteps(node), PeersOf(node)])
        {
            for (int index = 0; index < part.Count; index++)
            {
                if (part[index] != local)
                {
                    vteps.AddNew(part[index]);
                }
            }
        }

        vteps.Sort();
        return vteps;
    }
}
