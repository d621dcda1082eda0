using System.Buffers.Binary;

namespace FastPathLb.Wire;

/// <summary>What an IPv4 header is emitted from; its lengths and checksum are computed.</summary>
public readonly record struct Ipv4Fields : IWireFields
{
    /// <summary>DSCP in bits 7..2, ECN in bits 1..0.</summary>
    public byte TypeOfService { get; init; }

    /// <summary>Length of what follows the header: at most 65,535 with it.</summary>
    public int PayloadLengthBytes { get; init; }

    /// <summary>Groups the fragments of a datagram.</summary>
    public ushort Identification { get; init; }

    /// <summary>The datagram must not be fragmented.</summary>
    public bool DontFragment { get; init; }

    /// <summary>This is not the last fragment.</summary>
    public bool MoreFragments { get; init; }

    /// <summary>Place of this payload in the whole datagram's, a multiple of 8 bytes.</summary>
    public int FragmentOffsetBytes { get; init; }

    /// <summary>Hops that are left.</summary>
    public byte TimeToLive { get; init; }

    /// <summary>What the datagram carries.</summary>
    public IpProtocol Protocol { get; init; }

    /// <summary>Source address.</summary>
    public Ipv4Address Source { get; init; }

    /// <summary>Destination address.</summary>
    public Ipv4Address Destination { get; init; }

    /// <summary>Option bytes: a multiple of 4, at most 40.</summary>
    public ReadOnlyMemory<byte> Options { get; init; }

    /// <inheritdoc/>
    public int LengthBytes => Ipv4Header.MinimumLengthBytes + Options.Length;

    /// <inheritdoc/>
    public void WriteTo(Span<byte> bytes)
    {
        int fragment = (DontFragment ? Ipv4Header.DontFragmentMask : 0)
            | (MoreFragments ? Ipv4Header.MoreFragmentsMask : 0)
            | (FragmentOffsetBytes / 8);

        Span<byte> header = bytes[..LengthBytes];
        header[Ipv4Header.VersionOffset] = (byte)(0x40 | (LengthBytes / 4));
        header[Ipv4Header.TypeOfServiceOffset] = TypeOfService;
        BinaryPrimitives.WriteUInt16BigEndian(header[Ipv4Header.TotalLengthOffset..], (ushort)(LengthBytes + PayloadLengthBytes));
        BinaryPrimitives.WriteUInt16BigEndian(header[Ipv4Header.IdentificationOffset..], Identification);
        BinaryPrimitives.WriteUInt16BigEndian(header[Ipv4Header.FragmentOffset..], (ushort)fragment);
        header[Ipv4Header.TimeToLiveOffset] = TimeToLive;
        header[Ipv4Header.ProtocolOffset] = (byte)Protocol;
        Source.WriteTo(header[Ipv4Header.SourceOffset..]);
        Destination.WriteTo(header[Ipv4Header.DestinationOffset..]);
        Options.Span.CopyTo(header[Ipv4Header.MinimumLengthBytes..]);
        Ipv4Header.WriteChecksum(header);
    }
}
