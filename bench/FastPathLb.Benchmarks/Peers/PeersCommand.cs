using System.Globalization;
using FastPathLb.Engine.Building;
using FastPathLb.Engine.Placing;
using FastPathLb.Pipeline;
using FastPathLb.Wire;
using FastPathLb.Workload;

namespace FastPathLb.Benchmarks.Peers;

/// <summary>
/// <c>peers [runs] [cpu] [batch] [most connections] [all|established|hot|new|sizes]</c>: the peers' workload, timed by the peers' method (swarm_user.c): processor time of the
/// calling thread, generator alone and generator with data path in turn, their difference, least and median of the runs.
/// </summary>
internal sealed class PeersCommand
{
    private const int FramesPerPass = 1 << 20;
    private const int FramesPerWarmUp = 1 << 15;
    private const int LargeInnerBytes = 1500;
    private const long Hour = 3600L * 1_000_000_000;

    // 16 million need 10 GB, so they must be asked for.
    private static readonly int[] s_sizeFlowCounts = [1024, 65536];
    private static readonly int[] s_flowCounts = [1, 1024, 65536, PeerFrames.FlowCountMax, 1 << 24];

    private readonly int _runs;
    private readonly int _batchSize;
    private readonly CountingSink _sink = new();

    // While frames were timed.
    private long _allocatedBytes;
    private int _collectionCount;
    private long _timedFrames;
    private double _bytesPerConnection;

    private PeersCommand(int runs, int batchSize)
    {
        _runs = runs;
        _batchSize = batchSize;
    }

    /// <summary>Runs the command.</summary>
    public static int Run(ReadOnlySpan<string> arguments)
    {
        int runs = Argument(arguments, 0, 9);
        int processor = Argument(arguments, 1, Environment.ProcessorCount - 1);
        int batchSize = Argument(arguments, 2, FrameBatch.CountMax);
        int flowsMax = Argument(arguments, 3, PeerFrames.FlowCountMax);
        string what = arguments.Length > 4 ? arguments[4] : "all";
        ProcessorList.Of(processor).Run(0, () => new PeersCommand(runs, batchSize).Run(flowsMax, what));
        return 0;
    }

    private void Run(int flowsMax, string what)
    {
        foreach (bool hasOuterChecksum in (bool[])[false, true])
        {
            PeersVerification.Run(hasOuterChecksum, PeerFrames.InnerBytes);
            PeersVerification.Run(hasOuterChecksum, LargeInnerBytes);
            Console.WriteLine(
                $"verify FastPathLb ok: 4000 connections, TCP and UDP, both ways, inner frames of 64 and 1500 bytes, all checksums, outer UDP checksum {(hasOuterChecksum ? "on" : "off")}");
        }

        WarmUp();
        (_allocatedBytes, _collectionCount, _timedFrames) = (0, 0, 0);
        Console.WriteLine($"# ns/frame of processor time; net = raw - floor (the generator alone); {_runs} runs, batches of {_batchSize}");
        PrintRow("# what", "table", "flows", "gen", "raw.min", "raw.med", "floor.min", "net.min", "net.med", "Mpps");
        foreach (int flows in s_flowCounts.Where(flows => flows <= flowsMax))
        {
            if (what is "all" or "established" or "hot")
            {
                MeasureEstablished(flows, hasOuterChecksum: false, isPrinted: true, isHotAlone: what is "hot");
            }

            if (flows > 1 && what is ("all" or "new"))
            {
                MeasureOpening(flows, _runs);
            }
        }

        if (what is "all" or "established")
        {
            MeasureEstablished(1024, hasOuterChecksum: true, isPrinted: true);
        }

        if (what is "all" or "sizes")
        {
            MeasureSizes();
        }

        Console.WriteLine(FormattableString.Invariant($"{PeersGoals.MemoryMark}{_bytesPerConnection:F1} bytes a connection, everything counted"));
        Console.WriteLine(
            FormattableString.Invariant($"{PeersGoals.AllocationMark}{_allocatedBytes} bytes and collected {_collectionCount} times in {_timedFrames} timed frames"));
    }

    private static int Argument(ReadOnlySpan<string> arguments, int index, int missing) =>
        index < arguments.Length ? int.Parse(arguments[index], CultureInfo.InvariantCulture) : missing;

    private static void PrintRow(string what, params object[] cells)
    {
        int[] widths = [5, 8, 5, 8, 8, 9, 8, 8, 8];
        Console.Write($"{what,-44}");
        for (int index = 0; index < cells.Length; index++)
        {
            string text = cells[index] is double number ? number.ToString("F1", CultureInfo.InvariantCulture) : $"{cells[index]}";
            Console.Write($" {(index is 0 or 2 ? text.PadRight(widths[index]) : text.PadLeft(widths[index]))}");
        }

        Console.WriteLine();
    }

    /// <summary>Every path often enough for the compiler's last tier, with pauses in which it can work.</summary>
    private void WarmUp()
    {
        for (int round = 0; round < 12; round++)
        {
            MeasureEstablished(1024, hasOuterChecksum: round % 2 == 1, isPrinted: false);
            MeasureOpening(4096, 0);
            Thread.Sleep(200);
        }
    }

    private void MeasureEstablished(int flows, bool hasOuterChecksum, bool isPrinted, bool isHotAlone = false)
    {
        using BuiltLoadBalancer built = PeerNode.Build(flows, hasOuterChecksum: hasOuterChecksum);
        PeerFlows opened = new(built, flows);
        FrameBatch batch = new(countMax: _batchSize);
        batch.ConnectSink(_sink);

        // Past the timeouts of the handshake, so that each connection waits in the wheel for the long timeout.
        built.Balancer.Advance(opened.Now + (Hour / 30), batch);
        string suffix = hasOuterChecksum ? ", outer UDP checksum" : "";
        Measure($"forward{suffix}", new FrameGenerator(batch, _batchSize, flows, TcpFlags.Ack, isSequential: false), "hot");
        if (isHotAlone)
        {
            // For a profile: nothing but the short way.
            return;
        }

        built.Balancer.UsesEstablishedPath = false;
        Measure($"forward, general path{suffix}", new FrameGenerator(batch, _batchSize, flows, TcpFlags.Ack, isSequential: false), "hot");
        built.Balancer.UsesEstablishedPath = true;
        foreach ((string what, int forward, int reply) in (ReadOnlySpan<(string, int, int)>)[("forward", 1, 0), ("reverse", 0, 1), ("both ways", 1, 1)])
        {
            // Slots of a flow lie side by side where both directions are in the ring; else its first half is used.
            using FrameRing frames = new(flows * (forward + reply));
            for (int flow = 0, slot = 0; flow < flows; flow++)
            {
                if (forward == 1)
                {
                    PeerFlows.WriteForward(frames[slot++][..PeerFrames.FrameBytes], flow);
                }

                if (reply == 1)
                {
                    opened.WriteReply(frames[slot++][..PeerFrames.FrameBytes], flow);
                }
            }

            Measure($"{what}{suffix}", new FrameGenerator(batch, _batchSize, frames), "ring");
        }

        void Measure(string what, FrameGenerator generator, string source)
        {
            int frames = isPrinted ? FramesPerPass : FramesPerWarmUp;
            generator.Now = built.Balancer.Now;
            double[] raw = new double[_runs];
            double[] floor = new double[_runs];
            _ = TimedPass.Run(built.Balancer, batch, generator, frames, hasWork: true);
            long before = _sink.FrameCount;
            for (int run = 0; run < (isPrinted ? _runs : 1); run++)
            {
                floor[run] = TimedPass.Run(built.Balancer, batch, generator, frames, hasWork: false);
                raw[run] = Time(built, batch, generator, frames);
            }

            if (isPrinted)
            {
                Print($"FastPathLb, {what}", flows, source, raw, floor);
                if (_sink.FrameCount - before != (long)frames * _runs || built.Table.Count != flows)
                {
                    Console.WriteLine($"!! sent {_sink.FrameCount - before} frames, {built.Table.Count} connections");
                }
            }
        }
    }

    /// <summary>A pass with work, and what it allocates.</summary>
    private double Time(BuiltLoadBalancer built, FrameBatch batch, FrameGenerator generator, int frames)
    {
        int collections = GC.CollectionCount(0);
        long bytes = GC.GetAllocatedBytesForCurrentThread();
        double nanoseconds = TimedPass.Run(built.Balancer, batch, generator, frames, hasWork: true);
        _allocatedBytes += GC.GetAllocatedBytesForCurrentThread() - bytes;
        _collectionCount += GC.CollectionCount(0) - collections;
        _timedFrames += frames;
        _bytesPerConnection = Math.Max(_bytesPerConnection, built.Table.BytesPerConnection);
        return nanoseconds;
    }

    /// <summary>Large frames beside small ones, with and without an outer UDP checksum, and beside a plain copy of as many bytes.</summary>
    private void MeasureSizes()
    {
        foreach (int innerBytes in (int[])[PeerFrames.InnerBytes, LargeInnerBytes])
        {
            MeasureCopy(PeerFrames.EnvelopeBytes + innerBytes);
            foreach (int flows in s_sizeFlowCounts)
            {
                MeasureSize(flows, innerBytes, hasOuterChecksum: false);
                MeasureSize(flows, innerBytes, hasOuterChecksum: true);
            }
        }
    }

    private void MeasureSize(int flows, int innerBytes, bool hasOuterChecksum)
    {
        using BuiltLoadBalancer built = PeerNode.Build(flows, hasOuterChecksum: hasOuterChecksum);
        PeerFlows opened = new(built, flows);
        FrameBatch batch = new(countMax: _batchSize);
        batch.ConnectSink(_sink);
        built.Balancer.Advance(opened.Now + (Hour / 30), batch);
        FrameGenerator generator = new(batch, _batchSize, flows, TcpFlags.Ack, isSequential: false, innerBytes) { Now = built.Balancer.Now };
        double[] raw = new double[_runs];
        double[] floor = new double[_runs];
        _ = TimedPass.Run(built.Balancer, batch, generator, FramesPerPass, hasWork: true);
        long before = _sink.FrameCount;
        for (int run = 0; run < _runs; run++)
        {
            floor[run] = TimedPass.Run(built.Balancer, batch, generator, FramesPerPass, hasWork: false);
            raw[run] = Time(built, batch, generator, FramesPerPass);
        }

        Print($"FastPathLb, inner {innerBytes}, outer checksum {(hasOuterChecksum ? "on" : "off")}", flows, "hot", raw, floor);
        if (_sink.FrameCount - before != (long)FramesPerPass * _runs)
        {
            Console.WriteLine($"!! sent {_sink.FrameCount - before} frames");
        }
    }

    /// <summary>The yardstick: a frame's bytes from one place that stays in the cache to a batch's places, and nothing else.</summary>
    private void MeasureCopy(int frameBytes)
    {
        byte[] template = new byte[frameBytes];
        int stride = FrameBatch.HeadroomBytes + frameBytes + FrameBatch.TailroomBytes;
        byte[] places = new byte[stride * _batchSize];
        double[] raw = new double[_runs];
        for (int run = -1; run < _runs; run++)
        {
            double began = LinuxInterop.ThreadNanoseconds();
            for (int left = FramesPerPass; left > 0; left -= _batchSize)
            {
                for (int index = 0; index < _batchSize; index++)
                {
                    template.CopyTo(places.AsSpan((index * stride) + FrameBatch.HeadroomBytes, frameBytes));
                }
            }

            if (run >= 0)
            {
                raw[run] = (LinuxInterop.ThreadNanoseconds() - began) / FramesPerPass;
            }
        }

        Print($"memcpy, {frameBytes} bytes", 0, "hot", raw, new double[_runs]);
    }

    /// <summary>One SYN of each flow, all of them new; then the hour passes in which they expire.</summary>
    private void MeasureOpening(int flows, int runs)
    {
        using BuiltLoadBalancer built = PeerNode.Build(flows);
        FrameBatch batch = new(countMax: _batchSize);
        batch.ConnectSink(_sink);
        FrameGenerator generator = new(batch, _batchSize, flows, TcpFlags.Syn, isSequential: true) { Now = PeerFlows.StartNanoseconds };
        double[] raw = new double[Math.Max(runs, 1)];
        double[] floor = new double[raw.Length];
        double[] expiry = new double[raw.Length];

        // Run -1 touches memory for the first time.
        for (int run = -1; run < raw.Length; run++)
        {
            generator.Restart();
            double alone = TimedPass.Run(built.Balancer, batch, generator, flows, hasWork: false);
            generator.Restart();
            long before = _sink.FrameCount;
            double whole = run < 0
                ? TimedPass.Run(built.Balancer, batch, generator, flows, hasWork: true)
                : Time(built, batch, generator, flows);
            if (_sink.FrameCount - before != flows || built.Table.Count != flows)
            {
                Console.WriteLine($"!! sent {_sink.FrameCount - before} frames, {built.Table.Count} connections");
            }

            double began = LinuxInterop.ThreadNanoseconds();
            generator.Now += Hour;
            batch.Clear();
            built.Balancer.Advance(generator.Now, batch);
            double expired = (LinuxInterop.ThreadNanoseconds() - began) / flows;
            if (built.Table.Count != 0)
            {
                Console.WriteLine($"!! {built.Table.Count} connections did not expire");
            }

            if (run >= 0)
            {
                (floor[run], raw[run], expiry[run]) = (alone, whole, expired);
            }
        }

        if (runs > 0)
        {
            Print("FastPathLb, new connections", flows, "hot", raw, floor);
            Print("FastPathLb, expiry", flows, "-", expiry, new double[expiry.Length]);
        }
    }

    private static void Print(string what, int flows, string source, double[] raw, double[] floor)
    {
        Figures whole = Figures.Of(raw);
        Figures alone = Figures.Of(floor);
        double net = whole.Least - alone.Least;
        PrintRow(
            what, "index", flows, source, whole.Least, whole.Median, alone.Least, net, whole.Median - alone.Median,
            (1e3 / net).ToString("F2", CultureInfo.InvariantCulture));
    }
}
