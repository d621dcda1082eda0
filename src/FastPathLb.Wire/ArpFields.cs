using System.Buffers.Binary;

namespace FastPathLb.Wire;

/// <summary>What an ARP packet for IPv4 over Ethernet is emitted from.</summary>
/// <param name="Operation">Request or reply.</param>
/// <param name="SenderMac">MAC address of who speaks.</param>
/// <param name="SenderAddress">IPv4 address of who speaks.</param>
/// <param name="TargetMac">MAC address of who is spoken to; zero in a request.</param>
/// <param name="TargetAddress">IPv4 address of who is spoken to, or asked for.</param>
public readonly record struct ArpFields(
    ArpOperation Operation,
    MacAddress SenderMac,
    Ipv4Address SenderAddress,
    MacAddress TargetMac,
    Ipv4Address TargetAddress) : IWireFields
{
    /// <inheritdoc/>
    public int LengthBytes => ArpHeader.MinimumLengthBytes;

    /// <inheritdoc/>
    public void WriteTo(Span<byte> bytes)
    {
        TargetAddress.WriteTo(bytes[ArpHeader.TargetAddressOffset..]);
        BinaryPrimitives.WriteUInt64BigEndian(bytes, (ArpHeader.EthernetIpv4 << 16) | (ushort)Operation);
        SenderMac.WriteTo(bytes[ArpHeader.SenderMacOffset..]);
        SenderAddress.WriteTo(bytes[ArpHeader.SenderAddressOffset..]);
        TargetMac.WriteTo(bytes[ArpHeader.TargetMacOffset..]);
    }
}
