using System.Diagnostics;
using FastPathLb.Io.Captures;

namespace FastPathLb.Io.Tests.Captures;

public sealed class CaptureWriterTests
{
    private static readonly byte[] s_frame = new byte[100];

    [Theory]
    [InlineData("a.pcap", CaptureFormat.Pcap, false)]
    [InlineData("a.pcapng", CaptureFormat.Pcapng, false)]
    [InlineData("a.PcapNG", CaptureFormat.Pcapng, false)]
    [InlineData("a.cap", CaptureFormat.Pcap, false)]
    [InlineData("a", CaptureFormat.Pcap, false)]
    [InlineData("a.pcap.gz", CaptureFormat.Pcap, true)]
    [InlineData("a.pcapng.gz", CaptureFormat.Pcapng, true)]
    public void The_name_decides_the_format(string name, CaptureFormat expected, bool isGzip)
    {
        using var folder = new TemporaryFolder();
        using (CaptureWriter writer = CaptureWriter.Create(folder[name]))
        {
            Assert.Equal(expected, writer.Format);
            writer.Write(5, s_frame);
        }

        using CaptureReader reader = CaptureReader.Open(folder[name]);
        Assert.Equal(expected, reader.Info.Format);
        Assert.Equal(isGzip, reader.Info.IsCompressed);
        Assert.Equal(5, Assert.Single(Record.ReadAll(reader, out _)).TimestampNanoseconds);
    }

    [Fact]
    public void A_format_that_is_said_wins_over_the_name()
    {
        using var folder = new TemporaryFolder();
        CaptureWriter.Create(folder["a.pcap"], CaptureFormat.Pcapng).Dispose();

        using CaptureReader reader = CaptureReader.Open(folder["a.pcap"]);
        Assert.Equal(CaptureFormat.Pcapng, reader.Info.Format);
    }

    [Theory]
    [InlineData("a.pcap")]
    [InlineData("a.pcapng")]
    public void The_file_is_a_valid_capture_after_each_write_of_a_buffer(string name)
    {
        using var folder = new TemporaryFolder();
        using CaptureWriter writer = CaptureWriter.Create(folder[name]);
        long length = Length();
        Assert.Empty(Record.ReadAll(File.ReadAllBytes(folder[name])));
        int changes = 0;
        for (int i = 0; i < 40_000; i++)
        {
            writer.Write(i, s_frame.AsSpan(0, i % 100));
            if (Length() != length)
            {
                length = Length();
                changes++;
                List<Record> records = Record.ReadAll(File.ReadAllBytes(folder[name]));
                Assert.InRange(records.Count, 1, i);
            }
        }

        // 40,000 records of 66 or 82 bytes on average, 256 KiB at a time.
        Assert.InRange(changes, 9, 14);
        writer.Flush();
        Assert.Equal(40_000, Record.ReadAll(File.ReadAllBytes(folder[name])).Count);
        Assert.Equal(Length(), writer.LengthBytes);

        long Length() => new FileInfo(folder[name]).Length;
    }

    [Fact]
    public void A_full_disk_names_the_file_and_leaves_whole_records()
    {
        using var disk = new FullDisk(roomBytes: 1_500_000);
        CaptureWriter writer = CaptureWriter.Create(disk, "out.pcap", new CaptureWriterOptions());

        IOException failed = Assert.Throws<IOException>(() =>
        {
            for (int i = 0; i < 100_000; i++)
            {
                writer.Write(i, s_frame);
            }
        });

        Assert.Equal("out.pcap: cannot be written: No space left on device", failed.Message);
        Assert.InRange(disk.ToArray().Length, 1_500_000 - (256 * 1024), 1_500_000);
        Assert.NotEmpty(Record.ReadAll(disk.ToArray()));
        Assert.Throws<IOException>(writer.Flush);
        writer.Dispose(); // What could not be written has been said.
        Assert.NotEmpty(Record.ReadAll(disk.ToArray()));
    }

    [Fact]
    public void A_device_that_is_full_is_an_IOException_with_its_name()
    {
        if (!File.Exists("/dev/full"))
        {
            return;
        }

        IOException failed = Assert.Throws<IOException>(() => CaptureWriter.Create("/dev/full"));
        Assert.Equal("/dev/full: cannot be written: No space left on device", failed.Message);
    }

    [Fact]
    public void A_folder_that_is_not_there_is_an_IOException_with_its_name()
    {
        DirectoryNotFoundException failed = Assert.Throws<DirectoryNotFoundException>(
            () => CaptureWriter.Create("/nonexistent-fastpathlb/out.pcap"));
        Assert.Contains("/nonexistent-fastpathlb/out.pcap", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_input_is_not_written_over()
    {
        using var folder = new TemporaryFolder();
        byte[] capture = new CaptureBytes().PcapHeader().PcapRecord(1, 2, s_frame).ToArray();
        string path = folder.Write("a.pcap", capture);
        using CaptureReader reader = CaptureReader.Open(path);

        IOException refused = Assert.Throws<IOException>(() => CaptureWriter.Create(path));

        Assert.StartsWith($"{path}: cannot be written, it is in use (as the input?)", refused.Message, StringComparison.Ordinal);
        Assert.Equal(capture, File.ReadAllBytes(path));
    }

    [Fact]
    public void A_longer_file_is_written_over_whole()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("a.pcap", new byte[5000]);
        CaptureWriter.Create(path).Dispose();

        Assert.Equal(24, new FileInfo(path).Length);
    }

    [Theory]
    [InlineData("out.pcap")]
    [InlineData("out.pcapng")]
    public void A_large_file_has_whole_records_at_any_time_and_keeps_no_blocks_that_it_does_not_need(string name)
    {
        using var folder = new TemporaryFolder();
        byte[] frame = new byte[64 * 1024];
        long whole;
        using (CaptureWriter writer = CaptureWriter.Create(folder[name]))
        {
            // Beyond the first blocks that are reserved, which are 64 MiB.
            for (int number = 1; number <= 2200; number++)
            {
                BitConverter.TryWriteBytes(frame, number);
                writer.Write(number, frame);
            }

            // As another program sees it that reads while this one writes, or after this one was killed.
            using CaptureReader growing = CaptureReader.Open(folder[name]);
            Assert.InRange(CountNumbered(growing), 2200 - 17, 2200);
            Assert.Null(growing.Warning);
            whole = writer.LengthBytes;
        }

        using CaptureReader reader = CaptureReader.Open(folder[name]);
        Assert.Equal(2200, CountNumbered(reader));
        Assert.Equal(whole, new FileInfo(folder[name]).Length);
        if (OperatingSystem.IsLinux())
        {
            // What lies behind the file's end takes room, too; a file system's own tables take a little.
            Assert.InRange(AllocatedBytes(folder[name]), 1, whole + (1024 * 1024));
        }
    }

    [Fact]
    public void A_frame_longer_than_any_is_refused()
    {
        using CaptureWriter writer = CaptureWriter.Create(new MemoryStream(), "test", new CaptureWriterOptions());

        Assert.Throws<ArgumentOutOfRangeException>(() => writer.Write(0, new byte[CaptureLimits.FrameLengthBytesMax + 1]));
        writer.Write(0, new byte[CaptureLimits.FrameLengthBytesMax]);
    }

    [Fact]
    public void Nothing_is_written_after_Dispose()
    {
        CaptureWriter writer = CaptureWriter.Create(new MemoryStream(), "test", new CaptureWriterOptions());
        writer.Dispose();
        writer.Dispose();

        Assert.Throws<ObjectDisposedException>(writer.Flush);
    }

    private static int CountNumbered(CaptureReader reader)
    {
        int count = 0;
        while (reader.TryRead(out CapturedFrame captured))
        {
            Assert.Equal(++count, BitConverter.ToInt32(captured.Data));
        }

        return count;
    }

    private static long AllocatedBytes(string path)
    {
        using Process stat = Process.Start(new ProcessStartInfo("stat", ["-c", "%b", path]) { RedirectStandardOutput = true })!;
        long blocks = long.Parse(stat.StandardOutput.ReadToEnd());
        stat.WaitForExit();
        return blocks * 512;
    }

    /// <summary>Takes part of the write that does not fit, as a file system does.</summary>
    private sealed class FullDisk(int roomBytes) : MemoryStream
    {
        public override void Write(byte[] buffer, int offset, int count)
        {
            int fits = (int)Math.Min(count, roomBytes - Length);
            base.Write(buffer, offset, fits);
            if (fits < count)
            {
                throw new IOException("No space left on device : '/tmp/out.pcap'");
            }
        }
    }
}
