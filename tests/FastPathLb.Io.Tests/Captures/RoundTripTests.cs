using FastPathLb.Io.Captures;
using FsCheck;
using FsCheck.Fluent;

namespace FastPathLb.Io.Tests.Captures;

public sealed class RoundTripTests
{
    [Theory]
    [InlineData(CaptureFormat.Pcap, false, false)]
    [InlineData(CaptureFormat.Pcap, false, true)]
    [InlineData(CaptureFormat.Pcap, true, false)]
    [InlineData(CaptureFormat.Pcap, true, true)]
    [InlineData(CaptureFormat.Pcapng, false, false)]
    [InlineData(CaptureFormat.Pcapng, false, true)]
    [InlineData(CaptureFormat.Pcapng, true, false)]
    [InlineData(CaptureFormat.Pcapng, true, true)]
    public void What_is_written_is_read(CaptureFormat format, bool isBigEndian, bool isMicroseconds) =>
        Prop.ForAll<int>(seed =>
        {
            var random = new Random(seed);
            var options = new CaptureWriterOptions
            {
                Format = format,
                IsBigEndian = isBigEndian,
                IsMicroseconds = isMicroseconds,
                LinkType = LinkType.LinuxSll2,
                SnapLengthBytes = random.Next(1_000_000),
            };
            List<Record> written = [];
            var stream = new MemoryStream();
            using (CaptureWriter writer = CaptureWriter.Create(stream, "test", options))
            {
                for (int number = random.Next(40); number > 0; number--)
                {
                    byte[] data = new byte[random.Next(20) == 0 ? random.Next(200_000) : random.Next(100)];
                    random.NextBytes(data);
                    long timestamp = random.NextInt64(4_000_000_000_000_000_000);
                    timestamp -= isMicroseconds ? timestamp % 1000 : 0;
                    int original = random.Next(2) == 0 ? data.Length : random.Next(2_000_000);
                    writer.Write(timestamp, data, originalLengthBytes: original);
                    written.Add(new Record(timestamp, Convert.ToHexString(data), original, 0, LinkType.LinuxSll2, written.Count + 1));
                }

                Assert.Equal(written.Count, writer.RecordsWritten);
            }

            Assert.Equal(written, Record.ReadAll(stream.ToArray()));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(30));

    [Fact]
    public void Several_interfaces_keep_their_names_and_link_types()
    {
        var stream = new MemoryStream();
        using (CaptureWriter writer = CaptureWriter.Create(stream, "test", new CaptureWriterOptions { Format = CaptureFormat.Pcapng }))
        {
            Assert.Equal(0, writer.AddInterface("vxlan0", LinkType.Ethernet));
            writer.Write(1, [1], 0);
            Assert.Equal(1, writer.AddInterface("", LinkType.Raw));
            Assert.Equal(2, writer.AddInterface("lb-ö", LinkType.LinuxSll));
            writer.Write(2, [2], 2);
            writer.Write(3, [3], 1);
            Assert.Throws<ArgumentOutOfRangeException>(() => writer.Write(4, [4], 3));
            Assert.Throws<ArgumentOutOfRangeException>(() => writer.Write(4, [4], -1));
        }

        using CaptureReader reader = Record.Open(stream.ToArray());
        List<Record> records = Record.ReadAll(reader, out _);

        Assert.Equal([LinkType.Ethernet, LinkType.LinuxSll, LinkType.Raw], records.Select(r => r.LinkType));
        Assert.Equal(["vxlan0", null, "lb-ö"], reader.Info.Interfaces.Select(i => i.Name));
    }

    [Fact]
    public void A_pcap_file_has_one_interface_of_one_link_type()
    {
        using CaptureWriter writer = CaptureWriter.Create(new MemoryStream(), "test", new CaptureWriterOptions());

        Assert.Equal(CaptureFormat.Pcap, writer.Format);
        Assert.Equal(0, writer.AddInterface("a", LinkType.Ethernet));
        Assert.Equal(0, writer.AddInterface("b", LinkType.Ethernet));
        Assert.Throws<InvalidOperationException>(() => writer.AddInterface("c", LinkType.Raw));
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.Write(1, [1], 1));
    }

    [Theory]
    [InlineData(CaptureFormat.Pcap, long.MinValue, 0)]
    [InlineData(CaptureFormat.Pcap, -1, 0)]
    [InlineData(CaptureFormat.Pcap, long.MaxValue, 4_294_967_295_999_999_999)]
    [InlineData(CaptureFormat.Pcapng, -1, 0)]
    [InlineData(CaptureFormat.Pcapng, long.MaxValue, long.MaxValue)]
    public void A_time_that_the_format_cannot_hold_is_its_first_or_last(CaptureFormat format, long timestamp, long expected)
    {
        var stream = new MemoryStream();
        using (CaptureWriter writer = CaptureWriter.Create(stream, "test", new CaptureWriterOptions { Format = format }))
        {
            writer.Write(timestamp, [1]);
        }

        Assert.Equal(expected, Assert.Single(Record.ReadAll(stream.ToArray())).TimestampNanoseconds);
    }

    [Fact]
    public void Pcap_bytes_are_those_of_tcpdump()
    {
        var stream = new MemoryStream();
        using (CaptureWriter writer = CaptureWriter.Create(stream, "test", new CaptureWriterOptions()))
        {
            writer.Write(1_000_000_002, [0xaa, 0xbb, 0xcc]);
        }

        Assert.Equal(
            new CaptureBytes().PcapHeader(CaptureBytes.Nanoseconds).PcapRecord(1, 2, [0xaa, 0xbb, 0xcc]).ToArray(),
            stream.ToArray());
    }

    [Fact]
    public void Pcapng_bytes_are_as_the_specification_draws_them()
    {
        var stream = new MemoryStream();
        using (CaptureWriter writer = CaptureWriter.Create(stream, "test", new CaptureWriterOptions { Format = CaptureFormat.Pcapng }))
        {
            writer.AddInterface("eth0", LinkType.Ethernet);
            writer.Write(1_000_000_002, [0xaa, 0xbb, 0xcc]);
        }

        byte[] expected = new CaptureBytes()
            .Block(0x0a0d0d0a, b => b
                .UInt32(0x1a2b3c4d).UInt16(1).UInt16(0).UInt64(ulong.MaxValue).Option(4, "FastPathLb").EndOfOptions())
            .Interface(1, 262144, b => b.Option(2, "eth0").Option(9, 9).EndOfOptions())
            .EnhancedPacket(0, 1_000_000_002, [0xaa, 0xbb, 0xcc])
            .ToArray();
        Assert.Equal(Convert.ToHexString(expected), Convert.ToHexString(stream.ToArray()));
    }
}
