using System.Diagnostics;
using FastPathLb.Pipeline;
using FastPathLb.Wire;
using SharpPcap;

namespace FastPathLb.SharpPcap.Tests;

public sealed class LiveDeviceTests
{
    private const int EchoCount = 600;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    [LiveFact]
    public void Linux_answers_an_ARP_request_that_the_sink_sends_and_the_source_receives_it()
    {
        using var link = new NamespaceLink();
        using SharpPcapPort port = SharpPcapPort.Open(link.Near, portIndex: 2);

        Send(port, [SampleFrames.ArpRequest()], portIndex: 2);
        (byte[] Bytes, FrameDescriptor Frame)[] answers = Receive(port, 1, IsArpReply);

        Assert.True(EthernetHeader.TryParse(answers[0].Bytes, out EthernetHeader ethernet));
        Assert.True(ArpHeader.TryParse(ethernet.Payload, out ArpHeader arp));
        Assert.Equal(NamespaceLink.FarAddress, arp.SenderAddress);
        Assert.Equal(NamespaceLink.FarMac, arp.SenderMac);
        Assert.Equal(NamespaceLink.NearMac, arp.TargetMac);
        Assert.Equal(2, answers[0].Frame.PortIndex);
        Assert.Equal(answers[0].Bytes.Length, answers[0].Frame.WireLengthBytes);
        DateTimeOffset received = DateTimeOffset.FromUnixTimeMilliseconds(answers[0].Frame.TimestampNanoseconds / 1_000_000);
        Assert.InRange(received, DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow.AddMinutes(1));
        Assert.Equal(1, port.Sink.SentCount);
    }

    [LiveFact]
    public void Six_hundred_echoes_come_back_in_order_over_several_batches()
    {
        using var link = new NamespaceLink();
        using SharpPcapPort port = SharpPcapPort.Open(link.Near);

        for (int first = 0; first < EchoCount; first += FrameBatch.CountMax)
        {
            int end = Math.Min(first + FrameBatch.CountMax, EchoCount);
            Send(port, [.. Enumerable.Range(first, end - first).Select(SampleFrames.EchoRequest)]);
        }

        (byte[] Bytes, FrameDescriptor Frame)[] answers = Receive(port, EchoCount, IsEchoReply);

        Assert.Equal(Enumerable.Range(0, EchoCount), answers.Select(answer => (int)SequenceNumber(answer.Bytes)));
        Assert.All(answers.Zip(answers.Skip(1)), pair =>
        {
            Assert.True(pair.First.Frame.TimestampNanoseconds <= pair.Second.Frame.TimestampNanoseconds);
            Assert.True(pair.First.Frame.Number < pair.Second.Frame.Number);
        });
        Assert.Contains(answers, answer => answer.Frame.TimestampNanoseconds % 1000 != 0);
        Assert.Equal(EchoCount, port.Sink.SentCount);
        Assert.Equal(0, port.Sink.RefusedCount);
        Assert.Equal(0, port.KernelDroppedCount);
    }

    [LiveFact]
    public void A_port_receives_what_others_here_send_unless_a_filter_says_no_and_never_what_it_sent_itself()
    {
        using var link = new NamespaceLink();
        using SharpPcapPort sender = SharpPcapPort.Open(link.Near);
        using SharpPcapPort all = SharpPcapPort.Open(link.Near);
        using SharpPcapPort filtered = SharpPcapPort.Open(link.Near, filter: $"not ether src {NamespaceLink.NearMac}");

        Send(sender, [SampleFrames.EchoRequest(0)]);

        Assert.DoesNotContain(ReceiveUntil(sender, IsEchoReply), IsEchoRequest);
        Assert.Contains(ReceiveUntil(all, IsEchoReply), IsEchoRequest);
        Assert.DoesNotContain(ReceiveUntil(filtered, IsEchoReply), IsEchoRequest);
    }

    [LiveFact]
    public void A_frame_longer_than_the_MTU_is_refused_and_the_next_one_sent()
    {
        using var link = new NamespaceLink();
        using SharpPcapPort port = SharpPcapPort.Open(link.Near);
        byte[] tooLong = new byte[NamespaceLink.MtuBytes + 100];
        SampleFrames.EchoRequest(0).CopyTo(tooLong, 0);

        Send(port, [tooLong, SampleFrames.EchoRequest(1)]);
        (byte[] Bytes, FrameDescriptor Frame)[] answers = Receive(port, 1, IsEchoReply);

        Assert.Equal(1, SequenceNumber(answers[0].Bytes));
        Assert.Equal(1, port.Sink.RefusedCount);
        Assert.Equal(1, port.Sink.SentCount);
        Assert.Contains("send", port.Sink.Refusal!, StringComparison.OrdinalIgnoreCase);
    }

    [LiveFact]
    public void Frames_of_other_ports_are_left_to_their_sinks()
    {
        using var link = new NamespaceLink();
        using SharpPcapPort port = SharpPcapPort.Open(link.Near, portIndex: 1);

        Send(port, [SampleFrames.EchoRequest(0)], portIndex: 0);

        Assert.Equal(0, port.Sink.SentCount);
    }

    [LiveFact]
    public void A_removed_interface_ends_the_source_with_the_reason()
    {
        using var link = new NamespaceLink();
        using SharpPcapPort port = SharpPcapPort.Open(link.Near);
        var batch = new FrameBatch();

        link.RemoveInterface();
        var clock = Stopwatch.StartNew();
        while (port.Receive(batch))
        {
            batch.Clear();
            Assert.True(clock.Elapsed < s_patience, "the source does not end");
        }

        Assert.False(string.IsNullOrEmpty(port.Source.Failure));
        Assert.False(port.Receive(batch));
    }

    [LiveFact]
    public void An_idle_interface_gives_an_empty_batch()
    {
        using var link = new NamespaceLink();
        using SharpPcapPort port = SharpPcapPort.Open(link.Near, filter: "ether proto 0x1234");
        var batch = new FrameBatch();

        Assert.True(port.Receive(batch));
        Assert.Equal(0, batch.Count);
    }

    [LiveFact]
    public void An_interface_that_is_not_there_or_a_filter_that_makes_no_sense_is_said()
    {
        using var link = new NamespaceLink();

        Assert.Contains("nosuch0", Assert.Throws<ArgumentException>(() => SharpPcapPort.Open("nosuch0")).Message, StringComparison.Ordinal);
        Assert.Throws<PcapException>(() => SharpPcapPort.Open(link.Near, filter: "no sense"));
    }

    private static void Send(SharpPcapPort port, byte[][] frames, int portIndex = 0)
    {
        var batch = new FrameBatch();
        for (int index = 0; index < frames.Length; index++)
        {
            Assert.True(batch.TryAdd(frames[index], timestampNanoseconds: 0));
            FrameDescriptor frame = batch.Frames[index];
            batch.Emit(frame.Offset, frame.LengthBytes, frame.TimestampNanoseconds, index, portIndex);
        }

        port.Send(batch);
    }

    private static (byte[] Bytes, FrameDescriptor Frame)[] Receive(SharpPcapPort port, int count, Predicate<byte[]> isWanted)
    {
        var received = new List<(byte[] Bytes, FrameDescriptor Frame)>();
        var batch = new FrameBatch();
        var clock = Stopwatch.StartNew();
        while (received.Count < count)
        {
            Assert.True(clock.Elapsed < s_patience, $"{received.Count} of {count} frames have come");
            Assert.True(port.Receive(batch), port.Source.Failure);
            for (int index = 0; index < batch.Count; index++)
            {
                byte[] bytes = batch.FrameBytes(index).ToArray();
                if (isWanted(bytes))
                {
                    received.Add((bytes, batch.Frames[index]));
                }
            }

            batch.Clear();
        }

        return [.. received];
    }

    private static List<byte[]> ReceiveUntil(SharpPcapPort port, Predicate<byte[]> isLast)
    {
        var all = new List<byte[]>();
        Receive(port, 1, frame =>
        {
            all.Add(frame);
            return isLast(frame);
        });
        return all;
    }

    private static bool IsArpReply(byte[] frame) =>
        EthernetHeader.TryParse(frame, out EthernetHeader ethernet)
        && ethernet.EtherType == EtherType.Arp
        && ArpHeader.TryParse(ethernet.Payload, out ArpHeader arp)
        && arp.Operation == ArpOperation.Reply;

    private static bool IsEchoRequest(byte[] frame) => IsEcho(frame, IcmpType.Echo);

    private static bool IsEchoReply(byte[] frame) => IsEcho(frame, IcmpType.EchoReply);

    private static bool IsEcho(byte[] frame, IcmpType type) =>
        EthernetHeader.TryParse(frame, out EthernetHeader ethernet)
        && Ipv4Header.TryParse(ethernet.Payload, out Ipv4Header ipv4)
        && ipv4.Protocol == IpProtocol.Icmp
        && IcmpHeader.TryParse(ipv4.Payload, out IcmpHeader icmp)
        && icmp.Type == type
        && icmp.Identifier == SampleFrames.EchoIdentifier;

    private static ushort SequenceNumber(byte[] frame)
    {
        Assert.True(EthernetHeader.TryParse(frame, out EthernetHeader ethernet));
        Assert.True(Ipv4Header.TryParse(ethernet.Payload, out Ipv4Header ipv4));
        Assert.True(IcmpHeader.TryParse(ipv4.Payload, out IcmpHeader icmp));
        return icmp.SequenceNumber;
    }
}
