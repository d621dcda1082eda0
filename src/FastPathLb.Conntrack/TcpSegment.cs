using FastPathLb.Wire;

namespace FastPathLb.Conntrack;

/// <summary>What tracking reads of one TCP segment. A view: lives as long as the frame.</summary>
public readonly ref struct TcpSegment
{
    /// <summary>Takes the numbers of a header.</summary>
    /// <param name="header">The TCP header's bytes as far as they are there, options included.</param>
    /// <param name="lengthBytes">Length of the segment by the IP header: TCP header and payload.</param>
    public TcpSegment(ReadOnlySpan<byte> header, int lengthBytes)
    {
        Sequence = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(header[4..]);
        Acknowledgement = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(header[8..]);
        HeaderLengthBytes = (header[12] >> 4) * 4;
        Flags = (TcpFlags)header[13];
        Window = System.Buffers.Binary.BinaryPrimitives.ReadUInt16BigEndian(header[14..]);
        LengthBytes = lengthBytes;
        Options = HeaderLengthBytes > MinimumHeaderBytes && HeaderLengthBytes <= header.Length
            ? header[MinimumHeaderBytes..HeaderLengthBytes]
            : default;
    }

    /// <summary>Length of a TCP header without options.</summary>
    public const int MinimumHeaderBytes = 20;

    /// <summary>Sequence number.</summary>
    public uint Sequence { get; }

    /// <summary>Acknowledgement number.</summary>
    public uint Acknowledgement { get; }

    /// <summary>Header length the header claims.</summary>
    public int HeaderLengthBytes { get; }

    /// <summary>Flags.</summary>
    public TcpFlags Flags { get; }

    /// <summary>Window as sent.</summary>
    public ushort Window { get; }

    /// <summary>Header and payload.</summary>
    public int LengthBytes { get; }

    /// <summary>Option bytes.</summary>
    public ReadOnlySpan<byte> Options { get; }

    /// <summary>Sequence number after the segment: payload, SYN and FIN counted.</summary>
    public uint End => EndOf(Sequence, LengthBytes - HeaderLengthBytes, Flags);

    /// <summary>Sequence number after a segment with so much payload.</summary>
    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.AggressiveInlining)]
    public static uint EndOf(uint sequence, int payloadBytes, TcpFlags flags) => unchecked(
        sequence + (uint)payloadBytes + ((flags & TcpFlags.Syn) != 0 ? 1u : 0u) + ((flags & TcpFlags.Fin) != 0 ? 1u : 0u));

    /// <summary>Kind of segment, RST before SYN before FIN before ACK.</summary>
    public TcpSegmentKind Kind =>
        (Flags & TcpFlags.Rst) != 0 ? TcpSegmentKind.Rst
        : (Flags & TcpFlags.Syn) != 0 ? ((Flags & TcpFlags.Ack) != 0 ? TcpSegmentKind.SynAck : TcpSegmentKind.Syn)
        : (Flags & TcpFlags.Fin) != 0 ? TcpSegmentKind.Fin
        : (Flags & TcpFlags.Ack) != 0 ? TcpSegmentKind.Ack
        : TcpSegmentKind.None;
}
