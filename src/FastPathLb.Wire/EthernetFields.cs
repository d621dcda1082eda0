using System.Buffers.Binary;

namespace FastPathLb.Wire;

/// <summary>What an Ethernet header is emitted from.</summary>
/// <param name="Destination">Destination address.</param>
/// <param name="Source">Source address.</param>
/// <param name="EtherType">What the frame carries.</param>
public readonly record struct EthernetFields(MacAddress Destination, MacAddress Source, EtherType EtherType) : IWireFields
{
    /// <inheritdoc/>
    public int LengthBytes => EthernetHeader.MinimumLengthBytes;

    /// <inheritdoc/>
    public void WriteTo(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt16BigEndian(bytes[EthernetHeader.EtherTypeOffset..], (ushort)EtherType);
        Source.WriteTo(bytes[EthernetHeader.SourceOffset..]);
        Destination.WriteTo(bytes);
    }
}
