using System.Buffers.Binary;

namespace FastPathLb.Wire;

/// <summary>What a VXLAN header is emitted from: the I flag and the identifier, all else 0.</summary>
/// <param name="Vni">Network identifier.</param>
public readonly record struct VxlanFields(Vni Vni) : IWireFields
{
    /// <inheritdoc/>
    public int LengthBytes => VxlanHeader.MinimumLengthBytes;

    /// <inheritdoc/>
    public void WriteTo(Span<byte> bytes) =>
        BinaryPrimitives.WriteUInt64BigEndian(bytes, ((ulong)VxlanHeader.VniFlag << 56) | ((ulong)Vni.Value << 8));
}
