using System.Buffers.Binary;
using FastPathLb.Wire;

namespace FastPathLb.TestKit;

/// <summary>The outer headers of a VXLAN frame: <see cref="Wrap"/> puts an inner frame into them.</summary>
public sealed record Envelope
{
    private const int EthernetBytes = 14;

    /// <summary>Destination MAC address.</summary>
    public MacAddress DestinationMac { get; init; }

    /// <summary>Source MAC address.</summary>
    public MacAddress SourceMac { get; init; }

    /// <summary>What the outer frame says it carries.</summary>
    public EtherType EtherType { get; init; } = EtherType.Ipv4;

    /// <summary>Outer protocol.</summary>
    public IpProtocol Protocol { get; init; } = IpProtocol.Udp;

    /// <summary>Source VTEP and port.</summary>
    public Endpoint Source { get; init; }

    /// <summary>Destination VTEP and port.</summary>
    public Endpoint Destination { get; init; }

    /// <summary>Outer DSCP and ECN.</summary>
    public byte TypeOfService { get; init; }

    /// <summary>Outer time to live.</summary>
    public byte TimeToLive { get; init; } = 64;

    /// <summary>Outer identification.</summary>
    public ushort Identification { get; init; }

    /// <summary>The outer MF bit.</summary>
    public bool MoreFragments { get; init; }

    /// <summary>The whole VXLAN header: flags, VNI and reserved bits.</summary>
    public ulong Vxlan { get; init; }

    /// <summary>What the outer UDP checksum is.</summary>
    public ChecksumKind Checksum { get; init; }

    /// <summary>Added to the outer UDP length field.</summary>
    public int UdpLengthError { get; init; }

    /// <summary>Added to the outer IPv4 checksum.</summary>
    public ushort Ipv4ChecksumError { get; init; }

    /// <summary>The header of a network.</summary>
    public static ulong HeaderOf(uint vni) => ((ulong)VxlanHeader.VniFlag << 56) | ((ulong)vni << 8);

    /// <summary>The whole frame.</summary>
    public byte[] Wrap(ReadOnlySpan<byte> inner)
    {
        int payload = VxlanHeader.MinimumLengthBytes + inner.Length;
        byte[] frame = new byte[EthernetBytes + Ipv4Header.MinimumLengthBytes + UdpHeader.MinimumLengthBytes + payload];
        new EthernetFields(DestinationMac, SourceMac, EtherType).WriteTo(frame);
        Span<byte> packet = frame.AsSpan(EthernetBytes);
        new Ipv4Fields
        {
            TypeOfService = TypeOfService,
            TimeToLive = TimeToLive,
            Identification = Identification,
            MoreFragments = MoreFragments,
            Protocol = Protocol,
            Source = Source.Address,
            Destination = Destination.Address,
            PayloadLengthBytes = UdpHeader.MinimumLengthBytes + payload,
        }.WriteTo(packet);
        Span<byte> checksum = packet[Ipv4Header.ChecksumOffset..];
        BinaryPrimitives.WriteUInt16BigEndian(checksum, (ushort)(BinaryPrimitives.ReadUInt16BigEndian(checksum) + Ipv4ChecksumError));

        Span<byte> udp = packet[Ipv4Header.MinimumLengthBytes..];
        new UdpFields { SourcePort = Source.Port, DestinationPort = Destination.Port, PayloadLengthBytes = payload + UdpLengthError }
            .WriteTo(udp);
        BinaryPrimitives.WriteUInt64BigEndian(udp[UdpHeader.MinimumLengthBytes..], Vxlan);
        inner.CopyTo(udp[(UdpHeader.MinimumLengthBytes + VxlanHeader.MinimumLengthBytes)..]);
        uint pseudo = InternetChecksum.PseudoHeaderSum(Source.Address, Destination.Address, IpProtocol.Udp, udp.Length);
        ushort right = InternetChecksum.Finish(InternetChecksum.Sum(udp, pseudo));
        BinaryPrimitives.WriteUInt16BigEndian(udp[UdpHeader.ChecksumOffset..], Checksum switch
        {
            ChecksumKind.Zero => 0,
            ChecksumKind.Partial => InternetChecksum.Fold(pseudo),
            ChecksumKind.Wrong => InternetChecksum.Fold(right + 1u),
            _ => right == 0 ? ushort.MaxValue : right,
        });
        return frame;
    }
}
