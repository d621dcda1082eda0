using System.Buffers.Binary;

namespace FastPathLb.Wire;

/// <summary>What a UDP header is emitted from; its length is computed.</summary>
public readonly record struct UdpFields : IWireFields
{
    /// <summary>Source port.</summary>
    public ushort SourcePort { get; init; }

    /// <summary>Destination port.</summary>
    public ushort DestinationPort { get; init; }

    /// <summary>Length of what follows the header: at most 65,527.</summary>
    public int PayloadLengthBytes { get; init; }

    /// <summary>
    /// Written as it is; 0 says there is none. <see cref="UdpHeader.WriteChecksum"/> computes it once the payload is there.
    /// </summary>
    public ushort Checksum { get; init; }

    /// <inheritdoc/>
    public int LengthBytes => UdpHeader.MinimumLengthBytes;

    /// <inheritdoc/>
    public void WriteTo(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt16BigEndian(bytes[UdpHeader.ChecksumOffset..], Checksum);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[UdpHeader.LengthOffset..], (ushort)(LengthBytes + PayloadLengthBytes));
        BinaryPrimitives.WriteUInt16BigEndian(bytes[UdpHeader.DestinationPortOffset..], DestinationPort);
        BinaryPrimitives.WriteUInt16BigEndian(bytes, SourcePort);
    }
}
