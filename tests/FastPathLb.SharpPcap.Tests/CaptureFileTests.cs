using FastPathLb.Io.Captures;
using FastPathLb.Pipeline;
using PacketDotNet;
using SharpPcap;
using SharpPcap.LibPcap;

namespace FastPathLb.SharpPcap.Tests;

public sealed class CaptureFileTests
{
    private const decimal NanosecondsPerSecond = 1_000_000_000m;

    public static TheoryData<string> Captures => Recordings.All;

    [LibpcapTheory]
    [MemberData(nameof(Captures))]
    public void Our_reader_reads_a_capture_as_libpcap_reads_it(string capture)
    {
        using CaptureReader reader = CaptureReader.Open(Recordings.PathOf(capture));
        Read(capture, device =>
        {
            LinkType linkType = reader.Info.LinkType;
            Assert.Equal((int)linkType, device.LinkType == LinkLayers.RawLegacy ? (int)LinkLayers.Raw : (int)device.LinkType);
            while (device.GetNextPacket(out PacketCapture theirs) == GetPacketStatus.PacketRead)
            {
                Assert.True(reader.TryRead(out CapturedFrame ours), "libpcap finds more frames than we do");
                var header = (PcapHeader)theirs.Header;
                Assert.Equal((long)(header.Timeval.Value * NanosecondsPerSecond), ours.TimestampNanoseconds);
                Assert.Equal((int)header.CaptureLength, ours.Data.Length);
                Assert.Equal((int)header.PacketLength, ours.OriginalLengthBytes);
                Assert.True(theirs.Data.SequenceEqual(ours.Data), $"frame {ours.RecordNumber} has other bytes");
            }

            Assert.False(reader.TryRead(out _), "we find more frames than libpcap does");
        });
    }

    [LibpcapTheory]
    [MemberData(nameof(Captures))]
    public void A_capture_comes_through_the_source_frame_for_frame_in_batches_of_seven(string capture)
    {
        using CaptureReader reader = CaptureReader.Open(Recordings.PathOf(capture));
        Read(capture, device =>
        {
            if (device.LinkType != LinkLayers.Ethernet)
            {
                Assert.Throws<ArgumentException>(() => new SharpPcapSource(device));
                return;
            }

            var source = new SharpPcapSource(device, portIndex: 3);
            var batch = new FrameBatch(countMax: 7);
            long count = 0;
            while (source.Receive(batch))
            {
                Assert.InRange(batch.Count, 1, 7);
                for (int index = 0; index < batch.Count; index++)
                {
                    FrameDescriptor frame = batch.Frames[index];
                    count++;
                    Assert.True(reader.TryRead(out CapturedFrame recorded));
                    Assert.Equal(recorded.TimestampNanoseconds, frame.TimestampNanoseconds);
                    Assert.Equal(recorded.OriginalLengthBytes, frame.WireLengthBytes);
                    Assert.Equal(count, frame.Number);
                    Assert.Equal(3, frame.PortIndex);
                    Assert.True(batch.FrameBytes(index).SequenceEqual(recorded.Data), $"frame {count} has other bytes");
                }

                batch.Clear();
            }

            Assert.False(reader.TryRead(out _));
            Assert.Equal(count, source.Count);
            Assert.Null(source.Failure);
            Assert.False(source.Receive(batch));
        });
    }

    private static void Read(string capture, Action<CaptureFileReaderDevice> read)
    {
        string path = Recordings.Unpack(capture);
        try
        {
            using var device = new CaptureFileReaderDevice(path);
            device.Open(new DeviceConfiguration { TimestampResolution = TimestampResolution.Nanosecond });
            read(device);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
