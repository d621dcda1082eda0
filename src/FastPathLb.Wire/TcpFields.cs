using System.Buffers.Binary;

namespace FastPathLb.Wire;

/// <summary>What a TCP header is emitted from; its data offset is computed.</summary>
public readonly record struct TcpFields : IWireFields
{
    /// <summary>Source port.</summary>
    public ushort SourcePort { get; init; }

    /// <summary>Destination port.</summary>
    public ushort DestinationPort { get; init; }

    /// <summary>Number of the first byte of payload, or of the SYN.</summary>
    public uint SequenceNumber { get; init; }

    /// <summary>Number of the next byte expected.</summary>
    public uint AcknowledgmentNumber { get; init; }

    /// <summary>Control bits.</summary>
    public TcpFlags Flags { get; init; }

    /// <summary>Window, not scaled.</summary>
    public ushort Window { get; init; }

    /// <summary>Written as it is. <see cref="TcpHeader.WriteChecksum"/> computes it once the payload is there.</summary>
    public ushort Checksum { get; init; }

    /// <summary>Urgent pointer.</summary>
    public ushort UrgentPointer { get; init; }

    /// <summary>Option bytes, padded: a multiple of 4, at most 40.</summary>
    public ReadOnlyMemory<byte> Options { get; init; }

    /// <inheritdoc/>
    public int LengthBytes => TcpHeader.MinimumLengthBytes + Options.Length;

    /// <inheritdoc/>
    public void WriteTo(Span<byte> bytes)
    {
        Span<byte> header = bytes[..LengthBytes];
        BinaryPrimitives.WriteUInt16BigEndian(header[TcpHeader.SourcePortOffset..], SourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(header[TcpHeader.DestinationPortOffset..], DestinationPort);
        BinaryPrimitives.WriteUInt32BigEndian(header[TcpHeader.SequenceNumberOffset..], SequenceNumber);
        BinaryPrimitives.WriteUInt32BigEndian(header[TcpHeader.AcknowledgmentNumberOffset..], AcknowledgmentNumber);
        header[TcpHeader.DataOffsetOffset] = (byte)(LengthBytes / 4 << 4);
        header[TcpHeader.FlagsOffset] = (byte)Flags;
        BinaryPrimitives.WriteUInt16BigEndian(header[TcpHeader.WindowOffset..], Window);
        BinaryPrimitives.WriteUInt16BigEndian(header[TcpHeader.ChecksumOffset..], Checksum);
        BinaryPrimitives.WriteUInt16BigEndian(header[TcpHeader.UrgentPointerOffset..], UrgentPointer);
        Options.Span.CopyTo(header[TcpHeader.MinimumLengthBytes..]);
    }
}
