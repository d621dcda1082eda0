namespace FastPathLb.Wire.Tests;

/// <summary>One length check, then no failure: for every header, over every truncation and every changed byte.</summary>
public class HeaderRobustnessTests
{
    private static int s_sink;

    [Fact]
    public void Ethernet() => Exercise<EthernetHeader>(Touch);

    [Fact]
    public void Vlan() => Exercise<VlanTag>(Touch);

    [Fact]
    public void Arp() => Exercise<ArpHeader>(Touch);

    [Fact]
    public void Ipv4() => Exercise<Ipv4Header>(Touch);

    [Fact]
    public void Ipv6() => Exercise<Ipv6Header>(Touch);

    [Fact]
    public void Udp() => Exercise<UdpHeader>(Touch);

    [Fact]
    public void Tcp() => Exercise<TcpHeader>(Touch);

    [Fact]
    public void Icmp() => Exercise<IcmpHeader>(Touch);

    [Fact]
    public void Vxlan() => Exercise<VxlanHeader>(Touch);

    [Fact]
    public void Reading_every_header_allocates_nothing()
    {
        byte[] frame = SampleFrames.TimeExceededInVxlan;
        ReadAll(frame);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int round = 0; round < 1000; round++)
        {
            ReadAll(frame);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    // Headers are looked for at every offset of every sample, so that wrong protocols are read as well.
    private static void Exercise<THeader>(Action<THeader> touch)
        where THeader : IWireHeader<THeader>, allows ref struct
    {
        int accepted = 0;
        foreach (byte[] frame in SampleFrames.All)
        {
            for (int offset = 0; offset < frame.Length; offset++)
            {
                ReadOnlySpan<byte> rest = frame.AsSpan(offset);
                for (int length = 0; length <= rest.Length; length++)
                {
                    accepted += TouchIfParsed(rest[..length], touch);
                }
            }

            byte[] changed = [.. frame];
            for (int index = 0; index < frame.Length; index++)
            {
                for (int value = 0; value <= byte.MaxValue; value++)
                {
                    changed[index] = (byte)value;
                    for (int offset = Math.Max(0, index - 60); offset <= index; offset += 2)
                    {
                        accepted += TouchIfParsed(changed.AsSpan(offset), touch);
                    }
                }

                changed[index] = frame[index];
            }
        }

        Assert.True(accepted > 0, "no sample was ever accepted: the test shows nothing");
    }

    private static int TouchIfParsed<THeader>(ReadOnlySpan<byte> bytes, Action<THeader> touch)
        where THeader : IWireHeader<THeader>, allows ref struct
    {
        bool parsed = THeader.TryParse(bytes, out THeader header);
        if (bytes.Length < THeader.MinimumLengthBytes)
        {
            Assert.False(parsed);
        }

        if (!parsed)
        {
            return 0;
        }

        if (header.Payload.Length > bytes.Length)
        {
            Assert.Fail("the payload is longer than the bytes");
        }

        touch(header);
        return 1;
    }

    private static void ReadAll(ReadOnlySpan<byte> frame)
    {
        if (EthernetHeader.TryParse(frame, out EthernetHeader ethernet)
            && Ipv4Header.TryParse(ethernet.Payload, out Ipv4Header outer)
            && UdpHeader.TryParse(outer.Payload, out UdpHeader udp)
            && VxlanHeader.TryParse(udp.Payload, out VxlanHeader vxlan)
            && EthernetHeader.TryParse(vxlan.Payload, out EthernetHeader inner)
            && Ipv4Header.TryParse(inner.Payload, out Ipv4Header ipv4)
            && IcmpHeader.TryParse(ipv4.Payload, out IcmpHeader icmp)
            && icmp.TryGetEmbedded(out ReadOnlySpan<byte> embedded)
            && Ipv4Header.TryParse(embedded, out Ipv4Header cause)
            && TcpHeader.TryParse(cause.Payload, out TcpHeader tcp))
        {
            Touch(ethernet);
            Touch(outer);
            Touch(udp);
            Touch(vxlan);
            Touch(icmp);
            Touch(tcp);
            return;
        }

        Assert.Fail("the sample has all these headers");
    }

    private static void Touch(EthernetHeader header) =>
        s_sink ^= header.Destination.GetHashCode() ^ header.Source.GetHashCode() ^ (int)header.EtherType ^ header.Payload.Length;

    private static void Touch(VlanTag header) =>
        s_sink ^= header.Control ^ header.Priority ^ header.VlanId ^ (int)header.EtherType ^ header.Payload.Length
            ^ (header.DropEligible ? 1 : 0);

    private static void Touch(ArpHeader header) =>
        s_sink ^= (int)header.Operation ^ header.SenderMac.GetHashCode() ^ header.SenderAddress.GetHashCode()
            ^ header.TargetMac.GetHashCode() ^ header.TargetAddress.GetHashCode() ^ header.Payload.Length;

    private static void Touch(Ipv4Header header) =>
        s_sink ^= header.Version ^ header.HeaderLengthBytes ^ header.TypeOfService ^ header.TotalLength ^ header.Identification
            ^ header.FragmentField ^ header.FragmentOffsetBytes ^ header.TimeToLive ^ (int)header.Protocol ^ header.Checksum
            ^ header.Source.GetHashCode() ^ header.Destination.GetHashCode() ^ header.Options.Length ^ header.Payload.Length
            ^ (header.DontFragment ^ header.MoreFragments ^ header.IsFragment ^ header.IsChecksumCorrect ? 1 : 0);

    private static void Touch(Ipv6Header header) =>
        s_sink ^= header.Version ^ header.TrafficClass ^ (int)header.FlowLabel ^ header.PayloadLength ^ (int)header.NextHeader
            ^ header.HopLimit ^ header.Source.GetHashCode() ^ header.Destination.GetHashCode() ^ header.Payload.Length;

    private static void Touch(UdpHeader header) =>
        s_sink ^= header.SourcePort ^ header.DestinationPort ^ header.Length ^ header.Checksum ^ header.Payload.Length
            ^ (header.HasChecksum ? 1 : 0);

    private static void Touch(TcpHeader header)
    {
        s_sink ^= header.SourcePort ^ header.DestinationPort ^ (int)header.SequenceNumber ^ (int)header.AcknowledgmentNumber
            ^ header.DataOffsetBytes ^ (int)header.Flags ^ header.Window ^ header.Checksum ^ header.UrgentPointer
            ^ header.Options.Length ^ header.Payload.Length ^ (header.IsDataOffsetValid ? 1 : 0);

        var options = new TcpOptionReader(header.Options);
        for (int count = 0; options.MoveNext(); count++)
        {
            Assert.True(count < 40, "a walk over 40 bytes has no 41 options");
            options.TryGetMaximumSegmentSize(out ushort sizeBytes);
            options.TryGetWindowScale(out byte shift);
            options.TryGetTimestamps(out uint value, out uint echo);
            options.TryGetSackBlock(options.SackBlockCount - 1, out uint left, out uint right);
            s_sink ^= sizeBytes ^ shift ^ (int)value ^ (int)echo ^ (int)left ^ (int)right ^ (int)options.Kind ^ options.Data.Length;
        }
    }

    private static void Touch(IcmpHeader header)
    {
        header.TryGetEmbedded(out ReadOnlySpan<byte> embedded);
        s_sink ^= (int)header.Type ^ header.Code ^ header.Checksum ^ (int)header.RestOfHeader ^ header.Identifier
            ^ header.SequenceNumber ^ header.NextHopMtu ^ header.Payload.Length ^ embedded.Length ^ (header.IsError ? 1 : 0);
    }

    private static void Touch(VxlanHeader header) =>
        s_sink ^= (int)header.Value ^ header.Flags ^ (int)header.ReservedBits ^ (int)header.Vni.Value ^ header.Payload.Length
            ^ (header.HasVni ? 1 : 0);
}
