namespace FastPathLb.Io.Tests.Captures;

/// <summary>A valid capture of any format from a seed; every other one is cut at its end.</summary>
internal static class RandomCapture
{
    public static byte[] Of(int seed)
    {
        var random = new Random(seed);
        var capture = new CaptureBytes(isBigEndian: random.Next(2) == 0);
        if (random.Next(2) == 0)
        {
            AddPcap(capture, random);
        }
        else
        {
            AddPcapng(capture, random);
        }

        byte[] bytes = capture.ToArray();
        return random.Next(2) == 0 ? bytes : bytes[..^random.Next(1, 12)];
    }

    /// <summary>A pcap file of 1000-byte frames that gzip cannot make shorter.</summary>
    public static byte[] OfLength(int bytes)
    {
        var capture = new CaptureBytes().PcapHeader();
        byte[] data = new byte[1000];
        var random = new Random(3);
        for (uint i = 0; capture.Length < bytes; i++)
        {
            random.NextBytes(data);
            capture.PcapRecord(i, 0, data);
        }

        return capture.ToArray();
    }

    private static void AddPcap(CaptureBytes capture, Random random)
    {
        capture.PcapHeader(random.Next(2) == 0 ? CaptureBytes.Microseconds : CaptureBytes.Nanoseconds);
        for (int i = random.Next(2, 40); i > 0; i--)
        {
            capture.PcapRecord((uint)random.Next(), (uint)random.Next(1_000_000), Data(random));
        }
    }

    private static void AddPcapng(CaptureBytes capture, Random random)
    {
        for (int section = random.Next(1, 3); section > 0; section--)
        {
            capture.Section().Interface().Interface(113, 0, b => b.Option(9, (byte)random.Next(20)).EndOfOptions());
            for (int i = random.Next(2, 30); i > 0; i--)
            {
                switch (random.Next(6))
                {
                    case 0:
                        capture.Block((uint)random.Next(100, 1000), b => b.Append(Data(random)));
                        break;

                    case 1:
                        capture.SimplePacket(Data(random));
                        break;

                    case 2:
                        capture.ObsoletePacket(1, (ulong)random.NextInt64(), Data(random));
                        break;

                    default:
                        uint number = (uint)random.Next(2);
                        capture.EnhancedPacket(number, (ulong)random.NextInt64(), Data(random), options: b => b.Option(1, "hi"));
                        break;
                }
            }

            capture.EnhancedPacket(0, 1, [1, 2, 3]).EnhancedPacket(0, 1, [1, 2, 3, 4]);
        }
    }

    private static byte[] Data(Random random)
    {
        byte[] data = new byte[random.Next(10) == 0 ? random.Next(100_000) : random.Next(200)];
        random.NextBytes(data);
        return data;
    }
}
