using System.Buffers.Binary;
using FastPathLb.Balancer.Stack;
using FastPathLb.Balancer.Tunnel;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Ipvs;

/// <summary>Packets to servers that take them out of a tunnel themselves: IPv4 in IPv4 (ip_vs_tunnel_xmit in ip_vs_xmit.c).</summary>
internal sealed class IpvsTunnel
{
    /// <summary>Bytes that the tunnel takes from the MTU.</summary>
    public const int HeaderBytes = Ipv4.HeaderLengthMinimum;

    private const byte EcnMask = 3;

    private readonly NetworkNamespace _space;
    private readonly Packet _outer = new();

    public IpvsTunnel(NetworkNamespace space) => _space = space;

    /// <summary>Sends a packet, whose way was found, in a tunnel to its server. What conntrack knows of it stays with the inner packet.</summary>
    /// <param name="packet">The packet, with its output and next hop.</param>
    /// <param name="server">The server.</param>
    /// <param name="source">Address that the route to the server has as source.</param>
    /// <param name="ownsConntrack">Whether the packet's own conntrack entry is confirmed (ip_vs_confirm_conntrack).</param>
    /// <returns>Why it went no further, or none.</returns>
    public DropReason Send(Packet packet, RealServer server, uint source, bool ownsConntrack)
    {
        int length = packet.LengthBytes + HeaderBytes;
        if (length > ushort.MaxValue)
        {
            return DropReason.FrameTooLargeForDevice;
        }

        DropReason unconfirmed = ownsConntrack ? _space.Tracker.Confirm(packet) : DropReason.None;
        if (unconfirmed != DropReason.None)
        {
            return unconfirmed;
        }

        Ipv4.WriteChecksum(packet.Bytes);
        int captured = packet.CapturedBytes + HeaderBytes;
        int offset = packet.Batch.RentOutput(LinkInput.EthernetHeaderBytes + captured) + LinkInput.EthernetHeaderBytes;
        Span<byte> bytes = packet.Batch.Slice(offset, captured);
        packet.Bytes.CopyTo(bytes[HeaderBytes..]);

        // The kernel draws no identification where DF is set.
        bool keepsWhole = _space.Ipvs.Settings.DiscoversPathMtu && packet.IsDontFragment;
        ushort identification = keepsWhole ? (ushort)0 : _space.NextIdentification(source, server.Address, IpProtocol.IpInIp, 0);
        IcmpErrors.WriteHeader(
            bytes, Encapsulate(packet.TypeOfService), (ushort)length, identification, IpProtocol.IpInIp, source, server.Address);
        bytes[Ipv4.TimeToLiveOffset] = packet.TimeToLive;
        if (keepsWhole)
        {
            BinaryPrimitives.WriteUInt16BigEndian(bytes[Ipv4.FragmentOffset..], Ipv4.DontFragment);
        }

        Ipv4.WriteChecksum(bytes);
        _outer.Begin(packet.Batch, offset, captured, packet.InputIndex, packet.Now);
        _outer.Output = packet.Output;
        _outer.NextHop = packet.NextHop;
        _outer.Fwmark = packet.Fwmark;
        _outer.IsBalanced = true;
        _outer.IgnoresDontFragment = true;
        _outer.IsSuperPacket = packet.IsSuperPacket;
        return _space.Output.SendLocal(_outer);
    }

    // INET_ECN_encapsulate: congestion is the inner packet's affair.
    private static byte Encapsulate(byte typeOfService) =>
        (byte)(((uint)typeOfService & ~(uint)EcnMask) | Uplink.OuterEcn(typeOfService));
}
