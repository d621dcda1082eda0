using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastPathLb.Balancer.Stack;
using FastPathLb.Balancer.Tunnel;
using FastPathLb.Conntrack;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.FastPath;

/// <summary>
/// Recognises frames of the shape that nearly all have, and that the general path would let through to conntrack unchanged: whole,
/// with right IPv4 checksums, without options or fragments, to the load balancer. Whatever is else is <see cref="FrameKind.Other"/>.
/// </summary>
/// <remarks>
/// Reads words as they lie on the wire, so constants are swapped instead of frames. Sound although no index is checked: the
/// frame's length is compared first, the arena has <see cref="FrameBatch.TailroomBytes"/> behind each frame, and its descriptors
/// are made by the batch alone. Little-endian machines only.
/// </remarks>
internal sealed class FrameReader
{
    private const int EthernetBytes = 14;
    private const int Ipv4Bytes = 20;
    private const int UdpBytes = 8;
    private const int TcpBytes = 20;
    private const int EnvelopeBytes = Uplink.EnvelopeBytes;
    private const uint Ipv4WithoutOptions = 0x00450008;
    private const uint TypeAndVersionMask = 0x00FFFFFF;
    private const ushort FragmentMask = 0xFF3F;
    private const byte FlagsThatMatter = (byte)(TcpFlags.Fin | TcpFlags.Syn | TcpFlags.Rst | TcpFlags.Ack);

    private readonly ConnectionTable _table;
    private readonly OpeningForecast _openings;
    private readonly ushort _space;
    private readonly ulong _mac;
    private readonly bool _isTunnelled;
    private readonly ulong _outerMac;
    private readonly uint _outerAddress;
    private readonly ushort _outerPort;
    private readonly ulong _vxlan;

    /// <summary>Makes a reader for an interface, at the underlay where its network is given.</summary>
    public FrameReader(
        NetworkNamespace space, NetworkInterface device, Uplink? uplink, OverlayNetwork? network, OpeningForecast openings)
    {
        _table = space.Connections;
        _openings = openings;
        _space = space.Number;
        _mac = OnWire(device.Mac);
        if (uplink is not null && network is not null)
        {
            _isTunnelled = true;
            _outerMac = OnWire(uplink.Mac);
            _outerAddress = BinaryPrimitives.ReverseEndianness(uplink.Address);
            _outerPort = BinaryPrimitives.ReverseEndianness(uplink.Port);

            // Flags with the VNI bit alone, and no reserved bit set.
            _vxlan = BinaryPrimitives.ReverseEndianness((0x08UL << 56) | ((ulong)network.Vni << 8));
        }
    }

    /// <summary>A hardware address as it lies on the wire, in the lower 48 bits.</summary>
    public static ulong OnWire(MacAddress mac) => BinaryPrimitives.ReverseEndianness(mac.Value) >> 16;

    /// <summary>Reads some frames of a batch and asks for the memory that tells their connections.</summary>
    public void Read(FrameBatch batch, int first, Span<FrameShape> shapes)
    {
        _openings.Begin();
        ref byte arena = ref MemoryMarshal.GetReference(batch.Arena);
        ReadOnlySpan<FrameDescriptor> frames = batch.Frames.Slice(first, shapes.Length);
        for (int index = 0; index < frames.Length; index++)
        {
            ref FrameShape shape = ref shapes[index];
            shape.Kind = Read(ref arena, frames[index], ref shape);
            if (shape.Kind != FrameKind.Other)
            {
                _table.PrefetchIndex(shape.Hash);
            }
        }

        for (int index = 0; index < shapes.Length; index++)
        {
            ref FrameShape shape = ref shapes[index];
            if (shape.Kind != FrameKind.Other)
            {
                shape.Candidate = _table.PrefetchConnection(shape.Hash, out shape.Direction);
                if (shape.Candidate < 0)
                {
                    _openings.Prefetch(shape);
                }
            }
        }

        _openings.PrefetchHolders();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T At<T>(ref byte start, int offset)
        where T : unmanaged => Unsafe.ReadUnaligned<T>(ref Unsafe.Add(ref start, offset));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private FrameKind Read(ref byte arena, in FrameDescriptor frame, ref FrameShape shape)
    {
        int offset = frame.Offset;
        int length = frame.LengthBytes;
        if (frame.WireLengthBytes != length)
        {
            return FrameKind.Other;
        }

        if (_isTunnelled)
        {
            length = OpenEnvelope(ref Unsafe.Add(ref arena, offset), length, ref shape);
            offset += EnvelopeBytes;
        }

        return length < EthernetBytes + Ipv4Bytes + UdpBytes
            ? FrameKind.Other
            : ReadInner(ref Unsafe.Add(ref arena, offset), offset, length - EthernetBytes, ref shape);
    }

    /// <summary>Looks at the envelope.</summary>
    /// <returns>Length of the inner frame in bytes, or 0 where the general path must look.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int OpenEnvelope(ref byte frame, int length, ref FrameShape shape)
    {
        if (length < EnvelopeBytes + EthernetBytes + Ipv4Bytes + UdpBytes)
        {
            return 0;
        }

        ulong first = At<ulong>(ref frame, 14);
        ulong second = At<ulong>(ref frame, 22);
        uint destination = At<uint>(ref frame, 30);
        ulong udp = At<ulong>(ref frame, 34);
        uint total = BinaryPrimitives.ReverseEndianness((ushort)(first >> 16));
        uint udpLength = BinaryPrimitives.ReverseEndianness((ushort)(udp >> 32));

        // Whatever differs from what is usual leaves a bit.
        ulong differences = ((At<ulong>(ref frame, 0) ^ _outerMac) << 16)
            | ((At<uint>(ref frame, 12) ^ Ipv4WithoutOptions) & TypeAndVersionMask)
            | ((first >> 48) & FragmentMask)
            | (((second >> 8) ^ (byte)IpProtocol.Udp) & 0xFF)
            | (destination ^ _outerAddress)
            | (ushort)((udp >> 16) ^ _outerPort)
            | (At<ulong>(ref frame, 42) ^ _vxlan)
            | ((uint)(length - EthernetBytes) ^ total)
            | ((total - Ipv4Bytes) ^ udpLength);
        if (differences != 0 || !InternetChecksum.IsRight((uint)first + (first >> 32) + (uint)second + (second >> 32) + destination))
        {
            return 0;
        }

        // Congestion marked on the way, or another mark than the packet's own: the general path merges it.
        byte ecn = (byte)((first >> 8) & 3);
        if (ecn != 0 && ecn != (Unsafe.Add(ref frame, EnvelopeBytes + EthernetBytes + 1) & 3))
        {
            return 0;
        }

        if ((ushort)(udp >> 48) != 0)
        {
            ReadOnlySpan<byte> packet = MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref frame, EthernetBytes), (int)total);
            if (!Uplink.IsSumRight(packet, packet[Ipv4Bytes..]))
            {
                return 0;
            }
        }

        shape.Vtep = (uint)(second >> 32);
        return length - EnvelopeBytes;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private FrameKind ReadInner(ref byte frame, int offset, int available, ref FrameShape shape)
    {
        ulong first = At<ulong>(ref frame, 14);
        ulong second = At<ulong>(ref frame, 22);
        uint destination = At<uint>(ref frame, 30);
        uint total = BinaryPrimitives.ReverseEndianness((ushort)(first >> 16));
        byte protocol = (byte)(second >> 8);
        ulong differences = ((At<ulong>(ref frame, 0) ^ _mac) << 16)
            | ((At<uint>(ref frame, 12) ^ Ipv4WithoutOptions) & TypeAndVersionMask)
            | ((first >> 48) & FragmentMask);
        if (differences != 0 || (byte)second <= 1 || total > (uint)available || total < Ipv4Bytes + UdpBytes
            || !InternetChecksum.IsRight((uint)first + (first >> 32) + (uint)second + (second >> 32) + destination))
        {
            return FrameKind.Other;
        }

        uint transportBytes = total - Ipv4Bytes;
        FrameKind kind = FrameKind.Flow;
        ushort checksum;
        if (protocol == (byte)IpProtocol.Tcp)
        {
            if (transportBytes < TcpBytes)
            {
                return FrameKind.Other;
            }

            ulong tail = At<ulong>(ref frame, 46);
            uint header = (uint)(tail & 0xF0) >> 2;
            checksum = BinaryPrimitives.ReverseEndianness((ushort)(tail >> 32));
            byte flags = (byte)((byte)(tail >> 8) & FlagsThatMatter);
            if (header >= TcpBytes && header <= transportBytes && flags is (byte)TcpFlags.Ack or (byte)TcpFlags.Syn)
            {
                kind = flags == (byte)TcpFlags.Ack ? FrameKind.Segment : FrameKind.Opening;
            }
        }
        else if (protocol == (byte)IpProtocol.Udp)
        {
            uint tail = At<uint>(ref frame, 38);
            uint length = BinaryPrimitives.ReverseEndianness((ushort)tail);
            checksum = BinaryPrimitives.ReverseEndianness((ushort)(tail >> 16));
            if (checksum != 0 && length >= UdpBytes && length <= transportBytes)
            {
                kind = FrameKind.Datagram;
            }
        }
        else
        {
            return FrameKind.Other;
        }

        uint source = BinaryPrimitives.ReverseEndianness((uint)(second >> 32));
        destination = BinaryPrimitives.ReverseEndianness(destination);
        uint ports = BinaryPrimitives.ReverseEndianness(At<uint>(ref frame, 34));
        if (checksum == InternetChecksum.FoldWide((ulong)source + destination + protocol + transportBytes))
        {
            // Looks like a sum that the sender's offload left unfinished.
            kind = FrameKind.Flow;
        }

        ulong addresses = source | ((ulong)destination << 32);
        ulong rest = uint.RotateLeft(ports, 16) | ((ulong)protocol << 32) | ((ulong)_space << 48);
        shape.Addresses = addresses;
        shape.Rest = rest;
        shape.Hash = _table.Hash(addresses, rest);
        shape.Start = offset + EthernetBytes;
        shape.LengthBytes = (ushort)total;
        shape.Ecn = (byte)((first >> 8) & 3);
        return kind;
    }
}
