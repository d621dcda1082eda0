using FastPathLb.Balancer.Tunnel;
using FastPathLb.NodeState;
using FastPathLb.Wire;

namespace FastPathLb.Engine.Building;

/// <summary>Makes a node's end of its tunnels from the host's state.</summary>
internal static class UplinkBuilder
{
    /// <summary>Builds it, and says which device it is.</summary>
    /// <param name="host">The host's namespace.</param>
    /// <param name="vxlan">Settings of a VXLAN device.</param>
    /// <param name="origin">Where the state is from, for errors.</param>
    /// <exception cref="NodeStateException">No device of the host has the tunnel's address.</exception>
    public static (Uplink Uplink, InterfaceState Device) Build(NamespaceState host, VxlanState vxlan, string origin)
    {
        (InterfaceState device, InterfaceAddress address) = FindUplink(host, vxlan, origin);
        Uplink uplink = new(device.Mac, address.Address.Value, (ushort)vxlan.DestinationPort)
        {
            ComputesChecksums = vxlan.UdpChecksum,
            Link = new Ipv4Prefix(address.Address, address.PrefixLength),
        };
        if (vxlan.SourcePortHigh > vxlan.SourcePortLow)
        {
            uplink.SourcePortLow = (ushort)vxlan.SourcePortLow;
            uplink.SourcePortHigh = (ushort)vxlan.SourcePortHigh;
        }

        foreach (NeighborState neighbor in host.Neighbors)
        {
            if (neighbor.Mac is { } mac)
            {
                uplink.Neighbors.Set(neighbor.Address.Value, mac, neighbor.IsPermanent);
            }
        }

        foreach (RouteState route in host.Routes)
        {
            if (route.Destination.Length == 0 && route.Via is { } via)
            {
                uplink.Gateway = via.Value;
            }
        }

        return (uplink, device);
    }

    /// <summary>The VXLAN device of a network's namespace, or null.</summary>
    public static InterfaceState? FindVxlan(NamespaceState overlay)
    {
        foreach (InterfaceState device in overlay.Interfaces)
        {
            if (device.Vxlan is not null)
            {
                return device;
            }
        }

        return null;
    }

    private static (InterfaceState Device, InterfaceAddress Address) FindUplink(NamespaceState host, VxlanState vxlan, string origin)
    {
        foreach (InterfaceState device in host.Interfaces)
        {
            foreach (InterfaceAddress address in device.Addresses)
            {
                if (device.Kind != "loopback" && device.Name != "lo" && (vxlan.Local is null || vxlan.Local == address.Address))
                {
                    return (device, address);
                }
            }
        }

        throw new NodeStateException(
            $"{origin}: no interface of the host has the VXLAN device's local address {vxlan.Local}; expected it in host.ip-addr.txt");
    }
}
