using FastPathLb.Io.Captures;
using FastPathLb.Pipeline;
using PacketDotNet;
using SharpPcap;
using SharpPcap.LibPcap;

namespace FastPathLb.SharpPcap.Tests;

public sealed class CaptureFileTests
{
    private const decimal NanosecondsPerSecond = 1_000_000_000m;
    private const long FractionRange = 1L << 32;

    private static readonly string[] s_limits = ["different from the type of the first interface", "pcapng block size"];

    public static TheoryData<string> Captures => Recordings.All;

    [LibpcapTheory]
    [MemberData(nameof(Captures))]
    public void Our_reader_reads_a_capture_as_libpcap_reads_it(string capture)
    {
        using CaptureReader reader = CaptureReader.Open(Recordings.PathOf(capture));
        Read(capture, device =>
        {
            Assert.Equal(reader.Info.LinkType, LinkTypeOf(device));
            GetPacketStatus status;
            while ((status = device.GetNextPacket(out PacketCapture theirs)) == GetPacketStatus.PacketRead)
            {
                Assert.True(reader.TryRead(out CapturedFrame ours), "libpcap finds more frames than we do");
                var header = (PcapHeader)theirs.Header;
                decimal nanoseconds = header.Timeval.Value * NanosecondsPerSecond;
                AssertSameTime(ours, nanoseconds > long.MaxValue ? (long)(nanoseconds - ulong.MaxValue - 1) : (long)nanoseconds);
                Assert.Equal(CutAsLibpcapDoes(reader, ours).Length, (int)header.CaptureLength);
                Assert.Equal(ours.OriginalLengthBytes, (int)header.PacketLength);
                Assert.True(theirs.Data.SequenceEqual(CutAsLibpcapDoes(reader, ours)), $"frame {ours.RecordNumber} has other bytes");
            }

            AssertSameEnd(reader, status == GetPacketStatus.Error ? device.LastError : null);
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
                    AssertSameTime(recorded, frame.TimestampNanoseconds);
                    Assert.Equal(recorded.OriginalLengthBytes, frame.WireLengthBytes);
                    Assert.Equal(count, frame.Number);
                    Assert.Equal(3, frame.PortIndex);
                    Assert.True(batch.FrameBytes(index).SequenceEqual(CutAsLibpcapDoes(reader, recorded)), $"frame {count} has other bytes");
                }

                batch.Clear();
            }

            AssertSameEnd(reader, source.Failure);
            Assert.Equal(count, source.Count);
            Assert.False(source.Receive(batch));
        });
    }

    // libpcap has the one or the other number for raw IP, by system.
    private static LinkType LinkTypeOf(CaptureFileReaderDevice device) =>
        device.LinkType == LinkLayers.RawLegacy ? LinkType.Raw : (LinkType)device.LinkType;

    // libpcap cuts a frame that is longer than the snap length in the file's header; we have it whole, as Wireshark has.
    private static ReadOnlySpan<byte> CutAsLibpcapDoes(CaptureReader reader, CapturedFrame frame) =>
        reader.Info.SnapLengthBytes > 0 && reader.Info.SnapLengthBytes < frame.Data.Length
            ? frame.Data[..(int)reader.Info.SnapLengthBytes]
            : frame.Data;

    // libpcap has a fraction of a second of 2^31 units and more as a negative number; with us it is the number in the file.
    private static void AssertSameTime(CapturedFrame ours, long theirNanoseconds)
    {
        long difference = ours.TimestampNanoseconds - theirNanoseconds;
        Assert.True(
            difference is 0 or FractionRange or FractionRange * 1000,
            $"frame {ours.RecordNumber}: ours at {ours.TimestampNanoseconds} ns, libpcap's at {theirNanoseconds}");
    }

    // libpcap gives up where a pcapng file changes its link type, snap length or byte order; we read on.
    private static void AssertSameEnd(CaptureReader reader, string? theirFailure)
    {
        bool goesOn = reader.TryRead(out _);
        if (goesOn)
        {
            Assert.Contains(s_limits, limit => theirFailure?.Contains(limit, StringComparison.Ordinal) == true);
        }
        else
        {
            Assert.Equal(theirFailure is null, reader.Warning is null);
        }
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
