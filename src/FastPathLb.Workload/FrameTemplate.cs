using System.Buffers.Binary;
using FastPathLb.Wire;

namespace FastPathLb.Workload;

/// <summary>A frame of which addresses and ports are written for each flow, both inner checksums kept right.</summary>
public sealed class FrameTemplate
{
    private const int HeaderOffset = 14;
    private const int AddressesOffset = HeaderOffset + 12;
    private const int PortsOffset = HeaderOffset + 20;

    private readonly byte[] _bytes;
    private readonly int _inner;
    private readonly uint _headerSum;
    private readonly uint _transportSum;

    private FrameTemplate(byte[] frame, bool hasEnvelope)
    {
        _bytes = hasEnvelope ? frame : frame[PeerFrames.EnvelopeBytes..];
        _inner = hasEnvelope ? PeerFrames.EnvelopeBytes : 0;

        // The sums without what each flow writes.
        Span<byte> inner = _bytes.AsSpan(_inner);
        uint addresses = PeerFrames.Sum(inner.Slice(AddressesOffset, 8), 0);
        uint ports = PeerFrames.Sum(inner.Slice(PortsOffset, 4), 0);
        _headerSum = (ushort)~BinaryPrimitives.ReadUInt16BigEndian(inner[(HeaderOffset + 10)..]) + (uint)(ushort)~addresses;
        _transportSum = (ushort)~BinaryPrimitives.ReadUInt16BigEndian(inner[(PortsOffset + 16)..])
            + (uint)(ushort)~addresses + (ushort)~ports;
    }

    /// <summary>Length of the frame.</summary>
    public int LengthBytes => _bytes.Length;

    /// <summary>From a client to the virtual address.</summary>
    public static FrameTemplate Forward(TcpFlags flags, int innerBytes = PeerFrames.InnerBytes, bool hasEnvelope = true)
    {
        byte[] frame = new byte[PeerFrames.EnvelopeBytes + innerBytes];
        PeerFrames.WriteForward(frame, 0, IpProtocol.Tcp, flags);
        return new FrameTemplate(frame, hasEnvelope);
    }

    /// <summary>From a server to the load balancer.</summary>
    public static FrameTemplate Reply(int server, TcpFlags flags, int innerBytes = PeerFrames.InnerBytes, bool hasEnvelope = true)
    {
        byte[] frame = new byte[PeerFrames.EnvelopeBytes + innerBytes];
        PeerFrames.WriteReply(frame, server, PeerFrames.ServicePort(0), PeerFrames.ClientPort(0), IpProtocol.Tcp, flags);
        return new FrameTemplate(frame, hasEnvelope);
    }

    /// <summary>Writes the frame with these addresses and ports, two words of each.</summary>
    public void WriteTo(Span<byte> room, uint source, uint destination, uint ports)
    {
        if (_bytes.Length == PeerFrames.FrameBytes)
        {
            // A length that the compiler knows.
            _bytes.AsSpan(0, PeerFrames.FrameBytes).CopyTo(room);
        }
        else
        {
            _bytes.CopyTo(room);
        }

        Span<byte> inner = room[_inner..];
        uint addresses = (source >> 16) + (source & 0xFFFF) + (destination >> 16) + (destination & 0xFFFF);
        BinaryPrimitives.WriteUInt16BigEndian(inner[(HeaderOffset + 10)..], Finish(_headerSum + addresses));
        BinaryPrimitives.WriteUInt64BigEndian(inner[AddressesOffset..], ((ulong)source << 32) | destination);
        BinaryPrimitives.WriteUInt32BigEndian(inner[PortsOffset..], ports);
        BinaryPrimitives.WriteUInt16BigEndian(
            inner[(PortsOffset + 16)..], Finish(_transportSum + addresses + (ports >> 16) + (ports & 0xFFFF)));
    }

    private static ushort Finish(uint sum)
    {
        sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)~(sum + (sum >> 16));
    }
}
