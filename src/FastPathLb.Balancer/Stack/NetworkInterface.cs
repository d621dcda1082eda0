using FastPathLb.Wire;

namespace FastPathLb.Balancer.Stack;

/// <summary>An interface of a namespace. Changed between batches only.</summary>
public sealed class NetworkInterface
{
    // Not 0: the shared empty list of a value type is compiled as the program starts.
    private const int AddressesUsual = 4;

    private readonly List<Ipv4Prefix> _addresses = new(AddressesUsual);

    /// <summary>Makes an interface without addresses.</summary>
    public NetworkInterface(string name, int index, MacAddress mac, int mtuBytes)
    {
        Name = name;
        Index = index;
        Mac = mac;
        MtuBytes = mtuBytes;
    }

    /// <summary>Name.</summary>
    public string Name { get; }

    /// <summary>Number within the namespace, from 0: the port its frames leave by.</summary>
    public int Index { get; }

    /// <summary>Hardware address.</summary>
    public MacAddress Mac { get; }

    /// <summary>Largest IPv4 packet it sends, in bytes.</summary>
    public int MtuBytes { get; }

    /// <summary>Whether the device vouches for transport checksums: a veth's peer never sent them over a wire.</summary>
    public bool TrustsChecksums { get; init; } = true;

    /// <summary>Whether packets for 127.0.0.0/8 may come in here (route_localnet), as Docker sets it for its bridges.</summary>
    public bool RoutesLoopback { get; set; }

    /// <summary>Addresses with their prefixes, in the order they were added.</summary>
    public IReadOnlyList<Ipv4Prefix> Addresses => _addresses;

    /// <summary>The first address: what the interface's own packets carry as source.</summary>
    public uint PrimaryAddress => _addresses.Count > 0 ? _addresses[0].Address.Value : 0;

    internal void Add(Ipv4Prefix address) => _addresses.Add(address);

    internal bool Remove(Ipv4Prefix address) => _addresses.Remove(address);
}
