using System.Buffers.Binary;
using FastPathLb.Wire;

namespace FastPathLb.Engine.Replaying;

/// <summary>What translation leaves alone in an IPv4 packet: by it what went in is found again in what came out.</summary>
internal readonly record struct Fingerprint(uint Header, uint Protocol, ulong Detail, int Ports)
{
    /// <summary>Reads a packet's, and the flow that it belongs to before translation.</summary>
    public static bool TryRead(ReadOnlySpan<byte> packet, out Fingerprint fingerprint, out (ulong, uint) flow)
    {
        fingerprint = default;
        flow = default;
        if (!Ipv4Header.TryParse(packet, out Ipv4Header ipv4))
        {
            return false;
        }

        ReadOnlySpan<byte> payload = ipv4.Payload;
        if (payload.Length < 8)
        {
            return false;
        }

        ulong detail = ipv4.Protocol switch
        {
            // Sequence and acknowledgement number.
            IpProtocol.Tcp when payload.Length >= 20 => BinaryPrimitives.ReadUInt64BigEndian(payload[4..])
                ^ ((ulong)BinaryPrimitives.ReadUInt32BigEndian(payload[12..]) << 20),
            _ => BinaryPrimitives.ReadUInt16BigEndian(payload[4..]),
        };
        int ports = BinaryPrimitives.ReadUInt16BigEndian(payload) ^ BinaryPrimitives.ReadUInt16BigEndian(payload[2..]);
        uint header = ((uint)ipv4.Identification << 16) | ipv4.TotalLength;
        fingerprint = new Fingerprint(header, (byte)ipv4.Protocol | ((uint)ipv4.FragmentOffsetBytes << 8), detail, ports);
        flow = (((ulong)ipv4.Source.Value << 32) | ipv4.Destination.Value, BinaryPrimitives.ReadUInt32BigEndian(payload));
        return true;
    }
}
