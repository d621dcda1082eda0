using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using FastPathLb.Conntrack;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Netfilter;

/// <summary>Flow keys as conntrack reads them from packets and turns them round (nf_ct_get_tuple, nf_ct_invert_tuple).</summary>
internal static class FlowKeyReader
{
    /// <summary>The flow in the other direction as conntrack expects it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FlowKey Invert(FlowKey key) => key.Protocol == IpProtocol.Icmp ? InvertQuery(key) : key.Reverse();

    /// <summary>Reads a flow key from an IPv4 packet, or from as much of one as an ICMP error quotes.</summary>
    /// <param name="packet">From the IPv4 header on, as far as it is there.</param>
    /// <param name="network">Number of the namespace.</param>
    /// <param name="key">The key.</param>
    public static bool TryRead(ReadOnlySpan<byte> packet, ushort network, out FlowKey key)
    {
        key = default;
        if (packet.Length < Ipv4.HeaderLengthMinimum || packet[0] >> 4 != 4)
        {
            return false;
        }

        int headerLength = (packet[0] & 15) * 4;
        if (headerLength < Ipv4.HeaderLengthMinimum || packet.Length < headerLength
            || (BinaryPrimitives.ReadUInt16BigEndian(packet[Ipv4.FragmentOffset..]) & Ipv4.FragmentOffsetMask) != 0)
        {
            return false;
        }

        IpProtocol protocol = (IpProtocol)packet[Ipv4.ProtocolOffset];
        ulong addresses = BitOperations.RotateLeft(BinaryPrimitives.ReadUInt64BigEndian(packet[Ipv4.SourceOffset..]), 32);
        ulong rest = ((ulong)protocol << 32) | ((ulong)network << 48);
        ReadOnlySpan<byte> transport = packet[headerLength..];
        switch (protocol)
        {
            case IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp or IpProtocol.UdpLite:
                if (transport.Length < 4)
                {
                    return false;
                }

                key = FlowKey.FromWords(addresses, rest | BitOperations.RotateLeft(BinaryPrimitives.ReadUInt32BigEndian(transport), 16));
                return true;

            case IpProtocol.Icmp:
                if (transport.Length < Icmp.HeaderBytes)
                {
                    return false;
                }

                // Identifier, and type and code.
                key = FlowKey.FromWords(
                    addresses,
                    rest | BinaryPrimitives.ReadUInt16BigEndian(transport[4..])
                    | ((ulong)BinaryPrimitives.ReadUInt16BigEndian(transport) << 16));
                return true;

            default:
                key = FlowKey.FromWords(addresses, rest);
                return true;
        }
    }

    private static FlowKey InvertQuery(FlowKey key)
    {
        FlowKey inverted = key.Reverse();
        inverted.SourcePort = key.SourcePort;
        inverted.DestinationPort = (ushort)(((int)Icmp.Counterpart((IcmpType)(key.DestinationPort >> 8)) << 8)
            | (key.DestinationPort & 0xFF));
        return inverted;
    }
}
