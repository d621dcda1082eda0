using System.Buffers.Binary;

namespace FastPathLb.Wire;

/// <summary>What an ICMP header is emitted from.</summary>
public readonly record struct IcmpFields : IWireFields
{
    /// <summary>Kind of message.</summary>
    public IcmpType Type { get; init; }

    /// <summary>Kind within the type.</summary>
    public byte Code { get; init; }

    /// <summary>Written as it is. <see cref="IcmpHeader.WriteChecksum"/> computes it once the payload is there.</summary>
    public ushort Checksum { get; init; }

    /// <summary>The last four bytes: for an echo, identifier and sequence number.</summary>
    public uint RestOfHeader { get; init; }

    /// <inheritdoc/>
    public int LengthBytes => IcmpHeader.MinimumLengthBytes;

    /// <inheritdoc/>
    public void WriteTo(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt32BigEndian(bytes[IcmpHeader.RestOfHeaderOffset..], RestOfHeader);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[IcmpHeader.ChecksumOffset..], Checksum);
        bytes[IcmpHeader.CodeOffset] = Code;
        bytes[IcmpHeader.TypeOffset] = (byte)Type;
    }
}
