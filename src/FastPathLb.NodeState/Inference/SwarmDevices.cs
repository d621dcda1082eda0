using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>The devices, routes and neighbours that Swarm makes.</summary>
internal static class SwarmDevices
{
    public const int UnderlayMtu = 1500;
    public const int OverlayMtu = 1450;

    // ESP takes 26 bytes more of each frame.
    private const int EncryptionOverhead = 26;

    /// <summary>The loopback device.</summary>
    public static InterfaceState Loopback { get; } = new()
    {
        Index = 1,
        Name = "lo",
        Mtu = 65536,
        Kind = "loopback",
        Addresses = [new InterfaceAddress(Ipv4Address.Parse("127.0.0.1"), 8, "host")],
    };

    /// <summary>MTU of a network's devices.</summary>
    public static int MtuOf(DockerNetwork? network) => network?.Mtu
        ?? (network is { IsEncrypted: true } ? OverlayMtu - EncryptionOverhead : OverlayMtu);

    /// <summary>A port with an address: MAC by Docker's rule unless told.</summary>
    public static InterfaceState Port(
        int index,
        string name,
        int? peer,
        MacAddress mac,
        int mtu,
        params IReadOnlyList<InterfaceAddress> addresses) => new()
        {
            Index = index,
            Name = name,
            PeerIndex = peer,
            Mac = mac,
            Mtu = mtu,
            Kind = "veth",
            Addresses = addresses,
        };

    /// <summary>The bridge of a network.</summary>
    public static InterfaceState Bridge(int index, MacAddress mac, int mtu, Ipv4Prefix? gateway) => new()
    {
        Index = index,
        Name = "br0",
        Mac = mac,
        Mtu = mtu,
        Kind = "bridge",
        Addresses = gateway is { } address ? [new InterfaceAddress(address.Address, address.Length, "global")] : [],
    };

    /// <summary>The tunnel of a network.</summary>
    public static InterfaceState Tunnel(int index, MacAddress mac, int mtu, VxlanState settings) => new()
    {
        Index = index,
        Name = "vxlan0",
        PeerIndex = index,
        Mac = mac,
        Mtu = mtu,
        Kind = "vxlan",
        Master = "br0",
        Vxlan = settings,
    };

    /// <summary>A MAC that stands in for a tunnel's, which Linux draws at random.</summary>
    public static MacAddress StandInMac(Vni vni) => MacAddress.FromDocker(new Ipv4Address(0xFF00_0000 | vni.Value));

    /// <summary>The routes that addresses bring with them.</summary>
    public static IReadOnlyList<RouteState> OnLinkRoutes(IReadOnlyList<InterfaceState> devices)
    {
        List<RouteState> routes = [];
        foreach (InterfaceState device in devices)
        {
            foreach (InterfaceAddress address in device.IsUp && device.Kind != "loopback" ? device.Addresses : [])
            {
                Ipv4Prefix prefix = new(address.Address, address.PrefixLength);
                if (prefix.Length < Ipv4Prefix.LengthMax
                    && !routes.Exists(route => route.Destination == new Ipv4Prefix(prefix.Network, prefix.Length)))
                {
                    routes.Add(new RouteState
                    {
                        Destination = new Ipv4Prefix(prefix.Network, prefix.Length),
                        Device = device.Name,
                        Source = address.Address,
                    });
                }
            }
        }

        return routes;
    }

    /// <summary>The address that Docker's rule made a MAC of, or null.</summary>
    public static Ipv4Address? AddressOf(MacAddress mac)
    {
        Ipv4Address address = new((uint)mac.Value);
        return MacAddress.FromDocker(address) == mac ? address : null;
    }

    /// <summary>A node's first device that faces other nodes: has a global address and is no bridge, loopback or port.</summary>
    public static InterfaceState? Uplink(IReadOnlyList<InterfaceState> devices)
    {
        foreach (InterfaceState device in devices)
        {
            if (device is { IsUp: true, Master: null, Kind: not ("loopback" or "bridge" or "vxlan"), Addresses.Count: > 0 })
            {
                return device;
            }
        }

        return null;
    }
}
