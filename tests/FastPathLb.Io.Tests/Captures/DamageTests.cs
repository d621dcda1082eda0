using System.Diagnostics;
using FastPathLb.Io.Captures;

namespace FastPathLb.Io.Tests.Captures;

/// <summary>Whatever is damaged: records, then an end, a warning or a CaptureFormatException; nothing else, and soon.</summary>
public sealed class DamageTests
{
    private static readonly byte[][] s_captures =
    [
        new CaptureBytes().PcapHeader().PcapRecord(1, 2, [1, 2, 3, 4, 5]).PcapRecord(3, 4, new byte[60]).ToArray(),
        new CaptureBytes(true).PcapHeader(CaptureBytes.Nanoseconds, 113).PcapRecord(1, 2, new byte[33]).PcapRecord(1, 2, []).ToArray(),
        new CaptureBytes().PcapHeader(CaptureBytes.Modified).PcapRecord(1, 2, new byte[33]).PcapRecord(1, 2, new byte[8]).ToArray(),
        Pcapng(isBigEndian: false),
        Pcapng(isBigEndian: true),
    ];

    [Fact]
    public void Every_truncation_is_met_calmly()
    {
        foreach (byte[] capture in s_captures)
        {
            for (int length = 0; length < capture.Length; length++)
            {
                Survive(capture[..length]);
            }
        }
    }

    [Fact]
    public void Every_flip_of_one_byte_is_met_calmly()
    {
        foreach (byte[] capture in s_captures)
        {
            for (int i = 0; i < capture.Length; i++)
            {
                foreach (byte flip in new byte[] { 0x01, 0x80, 0xff, 0x0f })
                {
                    byte[] damaged = [.. capture];
                    damaged[i] ^= flip;
                    Survive(damaged);
                }
            }
        }
    }

    [Fact]
    public void Truncated_and_flipped_gzip_is_met_calmly()
    {
        byte[] gzip = SourceTests.Gzip(s_captures[3]);
        for (int i = 0; i < gzip.Length; i++)
        {
            Survive(gzip[..i]);
            byte[] damaged = [.. gzip];
            damaged[i] ^= 0x41;
            Survive(damaged);
        }
    }

    [Fact]
    public void Mapped_files_meet_damage_as_streams_do()
    {
        using var folder = new TemporaryFolder();
        foreach (byte[] capture in s_captures)
        {
            for (int i = 0; i < capture.Length; i += 3)
            {
                byte[] damaged = [.. capture];
                damaged[i] ^= 0xff;
                Assert.Equal(
                    Outcome(() => CaptureReader.Open(new MemoryStream(damaged), folder["x"])),
                    Outcome(() => CaptureReader.Open(folder.Write("x", damaged))));
            }
        }
    }

    [Fact]
    public void A_seeded_fuzz_of_many_damages_at_once_is_met_calmly()
    {
        var random = new Random(20_260_101);
        var time = Stopwatch.StartNew();
        for (int round = 0; round < 1000 || time.ElapsedMilliseconds < 2_000; round++)
        {
            byte[] damaged = [.. s_captures[random.Next(s_captures.Length)]];
            for (int i = random.Next(1, 6); i > 0; i--)
            {
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            }

            Survive(damaged[..random.Next(damaged.Length / 2, damaged.Length)]);
        }
    }

    private static void Survive(byte[] capture) => Outcome(() => Record.Open(capture));

    private static string Outcome(Func<CaptureReader> open)
    {
        CaptureReader? reader = null;
        try
        {
            reader = open();
            while (reader.TryRead(out CapturedFrame frame))
            {
                Assert.InRange(frame.Data.Length, 0, CaptureLimits.FrameLengthBytesMax);
                Assert.True(frame.RecordNumber < 1000, "A small file has few records.");
            }

            return $"{reader.RecordsRead} {reader.Warning}";
        }
        catch (CaptureFormatException refused)
        {
            Assert.DoesNotContain('\n', refused.Message);
            return $"{reader?.RecordsRead} {refused.Message}";
        }
        finally
        {
            reader?.Dispose();
        }
    }

    private static byte[] Pcapng(bool isBigEndian) => new CaptureBytes(isBigEndian).Section()
        .Interface(options: b => b.Option(2, "eth0").Option(9, 9).Option(14, 0, 0, 0, 0, 0, 0, 0, 0).EndOfOptions())
        .Interface(113)
        .EnhancedPacket(1, 77, new byte[33], options: b => b.Option(1, "c").EndOfOptions())
        .Block(5, b => b.UInt32(0).UInt64(0))
        .SimplePacket(new byte[20])
        .ObsoletePacket(0, 5, new byte[9])
        .ToArray();
}
