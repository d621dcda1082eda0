using System.Diagnostics;
using System.Text;

namespace FastPathLb.Wire.Tests;

public class FramePrinterRobustnessTests
{
    [Fact]
    public void Every_truncation_prints_one_line()
    {
        foreach (byte[] frame in SampleFrames.All)
        {
            for (int length = 0; length < frame.Length; length++)
            {
                AssertOneLine(FramePrinter.Print(frame.AsSpan(0, length)));
            }
        }
    }

    [Fact]
    public void Every_changed_byte_prints_one_line()
    {
        byte[] flips = [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xFF, 0x5A];
        var line = new StringBuilder();
        foreach (byte[] frame in SampleFrames.All)
        {
            for (int index = 0; index < frame.Length; index++)
            {
                foreach (byte flip in flips)
                {
                    frame[index] ^= flip;
                    line.Clear();
                    FramePrinter.Print(frame, line);
                    frame[index] ^= flip;
                }

                AssertOneLine(line.ToString());
            }
        }
    }

    [Fact]
    public void Random_bytes_print_one_line()
    {
        const int Seed = 20240611;
        var random = new Random(Seed);
        byte[][] samples = SampleFrames.All;
        byte[] noise = new byte[400];
        var line = new StringBuilder();
        var stopwatch = Stopwatch.StartNew();
        for (int round = 0; round < 1000 || stopwatch.ElapsedMilliseconds < 1000; round++)
        {
            // Pure noise rarely gets past Ethernet, so most rounds scramble some bytes of a sample.
            byte[] sample = samples[random.Next(samples.Length)];
            int keep = random.Next(5) == 0 ? 0 : random.Next(sample.Length + 1);
            int length = random.Next(noise.Length + 1);
            random.NextBytes(noise);
            sample.AsSpan(0, Math.Min(keep, length)).CopyTo(noise);
            line.Clear();
            try
            {
                FramePrinter.Print(noise.AsSpan(0, length), line);
            }
            catch (Exception exception)
            {
                Assert.Fail($"seed {Seed}, round {round}: {Convert.ToHexString(noise, 0, length)}: {exception}");
            }

            Assert.True(line.Length < 3000, "a line has a bounded length");
        }
    }

    [Fact]
    public void Nesting_ends_at_a_depth()
    {
        byte[] frame = SampleFrames.TcpSynInVxlan;
        for (int depth = 0; depth < 6; depth++)
        {
            frame = [.. SampleFrames.TcpSynInVxlan.AsSpan(0, 50), .. frame];
            frame[16] = (byte)((frame.Length - 14) >> 8);
            frame[17] = (byte)(frame.Length - 14);
            frame[38] = (byte)((frame.Length - 34) >> 8);
            frame[39] = (byte)(frame.Length - 34);
        }

        string line = FramePrinter.Print(frame);
        Assert.EndsWith("[nested more than 4 deep, 224 bytes]", line);
        Assert.Equal(FramePrinter.DepthMax, line.Split(" | ").Length - 1);
    }

    private static void AssertOneLine(string line)
    {
        Assert.NotEqual(0, line.Length);
        Assert.DoesNotContain('\n', line);
    }
}
