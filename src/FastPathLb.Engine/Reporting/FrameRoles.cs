using System.Buffers.Binary;
using FastPathLb.Balancer;
using FastPathLb.NodeState;
using FastPathLb.Wire;
using NodeDump = FastPathLb.NodeState.NodeState;

namespace FastPathLb.Engine.Reporting;

/// <summary>Tells what frames are to the load balancer of a node: by its own addresses, its virtual ones and its real servers'.</summary>
public sealed class FrameRoles
{
    private readonly HashSet<Ipv4Address> _own = [];
    private readonly HashSet<Ipv4Address> _virtual = [];
    private readonly HashSet<Ipv4Address> _servers = [];
    private readonly AttachPoint _attachPoint;
    private readonly ushort _vxlanPort;

    /// <summary>Takes the addresses from a node's state.</summary>
    /// <exception cref="NodeStateException">There is no such namespace.</exception>
    public FrameRoles(NodeDump node, AttachPoint attachPoint, string namespaceName = "lb")
    {
        NamespaceState space = node[namespaceName];
        _attachPoint = attachPoint;
        _vxlanPort = VxlanPortOf(node);
        foreach (MarkedAddress marked in MarkedAddress.Of(space))
        {
            _virtual.Add(marked.Address);
        }

        foreach (IpvsServiceState service in space.IpvsServices)
        {
            if (service.Fwmark == 0)
            {
                _virtual.Add(service.Address);
            }

            foreach (IpvsServerState server in service.Servers)
            {
                _servers.Add(server.Address);
            }
        }

        foreach (InterfaceState device in space.Interfaces)
        {
            foreach (InterfaceAddress address in device.Addresses)
            {
                // Swarm gives its load balancer each virtual address as a single one, without a subnet.
                bool isVirtual = address.PrefixLength == Ipv4Prefix.LengthMax || _virtual.Contains(address.Address);
                (isVirtual ? _virtual : _own).Add(address.Address);
            }
        }
    }

    /// <summary>The UDP port of the node's VXLAN device.</summary>
    public static ushort VxlanPortOf(NodeDump node)
    {
        if (node.Namespaces.TryGetValue("overlay", out NamespaceState? overlay))
        {
            foreach (InterfaceState device in overlay.Interfaces)
            {
                if (device.Vxlan is { } vxlan)
                {
                    return (ushort)vxlan.DestinationPort;
                }
            }
        }

        return VxlanHeader.UdpPort;
    }

    /// <summary>What a frame is; frames of the underlay are looked into.</summary>
    public FrameRole RoleOf(ReadOnlySpan<byte> frame)
    {
        ReadOnlySpan<byte> overlay = _attachPoint == AttachPoint.Overlay ? frame : InnerFrame(frame, _vxlanPort);
        if (!EthernetHeader.TryParse(overlay, out EthernetHeader ethernet))
        {
            return FrameRole.Other;
        }

        return ethernet.EtherType switch
        {
            EtherType.Arp => FrameRole.Arp,
            EtherType.Ipv4 when Ipv4Header.TryParse(ethernet.Payload, out Ipv4Header ipv4) => RoleOf(ipv4.Source, ipv4.Destination),
            _ => FrameRole.Other,
        };
    }

    /// <summary>The frame inside a VXLAN packet; empty where there is none.</summary>
    public static ReadOnlySpan<byte> InnerFrame(ReadOnlySpan<byte> frame, ushort vxlanPort)
    {
        if (!EthernetHeader.TryParse(frame, out EthernetHeader ethernet) || ethernet.EtherType != EtherType.Ipv4
            || !Ipv4Header.TryParse(ethernet.Payload, out Ipv4Header ipv4) || ipv4.Protocol != IpProtocol.Udp
            || ipv4.FragmentOffsetBytes > 0)
        {
            return [];
        }

        // The bytes that are there, not those that the length fields promise.
        ReadOnlySpan<byte> datagram = ethernet.Payload[ipv4.HeaderLengthBytes..];
        const int InnerOffset = UdpHeader.MinimumLengthBytes + VxlanHeader.MinimumLengthBytes;
        return datagram.Length >= InnerOffset
            && BinaryPrimitives.ReadUInt16BigEndian(datagram[UdpHeader.DestinationPortOffset..]) == vxlanPort
            ? datagram[InnerOffset..]
            : [];
    }

    private FrameRole RoleOf(Ipv4Address source, Ipv4Address destination)
    {
        if (_virtual.Contains(destination))
        {
            return FrameRole.ClientToVirtual;
        }

        if (_virtual.Contains(source))
        {
            return FrameRole.BalancerToClient;
        }

        if (_own.Contains(source))
        {
            return _servers.Contains(destination) ? FrameRole.BalancerToServer : FrameRole.BalancerToClient;
        }

        return !_own.Contains(destination) ? FrameRole.Other
            : _servers.Contains(source) ? FrameRole.ServerToBalancer
            : FrameRole.ClientToBalancer;
    }
}
