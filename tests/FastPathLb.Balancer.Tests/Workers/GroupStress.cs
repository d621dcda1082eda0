using System.Collections.Concurrent;
using FastPathLb.Balancer.Workers;
using FastPathLb.Conntrack;
using FastPathLb.Pipeline;
using FastPathLb.TestKit;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Tests.Workers;

/// <summary>
/// Threads with a worker each, and flows that wander between them: mostly to the worker they are steered to, now and then to any. Their
/// ports collide, some are left to expire while others are opened, ARP and fragments come in between. Each flow checks all that becomes
/// of it; who answers to whom is unique among those that live; in the end each wheel has its worker's records.
/// </summary>
internal sealed class GroupStress
{
    private const int BatchMax = 48;
    private const int FlowsPerWorker = 150;
    private const long Second = 1_000_000_000;

    // Half of what a UDP flow lives without a reply.
    private const long IdleMax = 12 * Second;

    private readonly IReadOnlyList<LoadBalancer> _members;
    private readonly FrameSteering _steering;
    private readonly int _seed;
    private readonly ConcurrentQueue<StressFlow>[] _flows;
    private readonly ConcurrentDictionary<(bool IsTcp, uint Server, ushort Port), StressFlow> _live = new();
    private long _clock = TestBalancer.Epoch;
    private int _nextPort;
    private long _frames;
    private long _clashes;
    private volatile string? _failure;

    public GroupStress(IReadOnlyList<LoadBalancer> members, FrameSteering steering, int seed)
    {
        (_members, _steering, _seed) = (members, steering, seed);
        _flows = [.. members.Select(_ => new ConcurrentQueue<StressFlow>())];
    }

    /// <summary>
    /// Whether workers take over each other's connections without asking anybody to rest: a fault that must be caught. Then time does
    /// not leap: what is broken already is not walked over, which might never end.
    /// </summary>
    public bool IsGateless { get; init; }

    /// <summary>One in so many frames is given to any worker.</summary>
    public int WanderOneIn { get; init; } = 20;

    /// <summary>Most frames of a flow.</summary>
    public int LengthMax { get; init; } = 40;

    /// <summary>Frames that were sent and checked.</summary>
    public long Frames => _frames;

    /// <summary>
    /// First frames that were dropped since another worker took their port at the same moment, which steering prevents: as the kernel's
    /// insert_failed.
    /// </summary>
    public long Clashes => _clashes;

    /// <summary>The clock, nanoseconds since the Unix epoch.</summary>
    public long Now => Volatile.Read(ref _clock);

    /// <summary>Runs all workers for so many batches each.</summary>
    /// <returns>What went wrong, or null.</returns>
    public string? Run(int batches)
    {
        Thread[] threads =
        [
            .. Enumerable.Range(0, _members.Count).Select(worker => new Thread(() => Work(worker, batches)) { IsBackground = true }),
        ];
        Array.ForEach(threads, thread => thread.Start());
        foreach (Thread thread in threads)
        {
            if (!thread.Join(TimeSpan.FromMinutes(1)))
            {
                return $"seed {_seed}: a worker does not come to an end; {_failure}";
            }
        }

        string? fault = _failure ?? CheckTimers();
        return fault is null ? null : $"seed {_seed}: {fault}";
    }

    /// <summary>Each worker's wheel has the records that are its own and timed, and no others.</summary>
    private string? CheckTimers()
    {
        foreach (LoadBalancer member in _members)
        {
            ConnectionTable table = member.Namespace.Connections;
            int timed = 0;
            for (int number = 0; number < table.NumbersUsed; number++)
            {
                timed += table[number].Owner == table.Worker && (table[number].Flags & ConnectionFlags.Timed) != 0 ? 1 : 0;
            }

            if (timed != table.Wheel.Count)
            {
                return $"worker {table.Worker} owns {timed} records that are timed, its wheel has {table.Wheel.Count}";
            }
        }

        return null;
    }

    private void Work(int worker, int batches)
    {
        try
        {
            Random random = new(_seed + (worker * 7919));
            FrameBatch batch = new();
            List<StressFlow?> flows = [];
            List<byte[]>[] sent = [.. Enumerable.Range(0, BatchMax + 4).Select(_ => new List<byte[]>())];
            for (int round = 0; round < batches && _failure is null; round++)
            {
                batch.Clear();
                flows.Clear();
                Fill(worker, random, batch, flows);
                Delay(random);
                if (IsGateless)
                {
                    _members[worker].Namespace.Connections.IsExclusive = true;
                }

                _members[worker].Process(batch);
                Check(worker, random, batch, flows, sent);
            }
        }
        catch (Exception fault)
        {
            _failure ??= fault.ToString();
        }
    }

    private void Fill(int worker, Random random, FrameBatch batch, List<StressFlow?> flows)
    {
        // Now and then time leaps, so that what idles is over.
        long now = Interlocked.Add(ref _clock, !IsGateless && random.Next(40) == 0 ? random.NextInt64(4 * Second) : 20_000);
        int count = random.Next(1, BatchMax);
        while (flows.Count < count)
        {
            if (!IsGateless && random.Next(60) == 0)
            {
                AddFragments(random, batch, flows, now);
                continue;
            }

            if (!IsGateless && random.Next(80) == 0)
            {
                AddQuestion(random, batch, flows, now);
                continue;
            }

            bool isNew = _flows[worker].Count < FlowsPerWorker && random.Next(4) == 0;
            if (isNew || !_flows[worker].TryDequeue(out StressFlow? flow))
            {
                flow = Open(worker, random);
            }
            else if (now - flow.LastSeen > IdleMax || random.Next(400) == 0)
            {
                // Left to expire. From now on somebody else may get its server and port.
                Forget(flow);
                continue;
            }

            flow.LastSeen = now;
            flows.Add(flow);
            batch.TryAdd(flow.Next(), now);
        }
    }

    private StressFlow Open(int worker, Random random)
    {
        // Two clients for each port, one after the other: the second one's is often taken.
        while (true)
        {
            int number = Interlocked.Increment(ref _nextPort);
            ushort port = (ushort)(2000 + (number / 2 % 60_000));
            if (FrameSteering.WorkerOfPort(port, _members.Count) == worker || random.Next(8) == 0)
            {
                return new StressFlow(
                    random.Next(2) == 0, number % 2 == 0 ? SmallSwarm.Client : SmallSwarm.OtherClient, port, random.Next(2, LengthMax));
            }
        }
    }

    private void Check(int worker, Random random, FrameBatch batch, List<StressFlow?> flows, List<byte[]>[] sent)
    {
        Array.ForEach(sent, list => list.Clear());
        for (int index = 0; index < batch.Emitted.Length; index++)
        {
            if (batch.Emitted[index].InputIndex >= 0)
            {
                sent[batch.Emitted[index].InputIndex].Add(batch.EmittedBytes(index).ToArray());
            }
        }

        for (int index = 0; index < flows.Count; index++)
        {
            ref FrameDescriptor frame = ref batch.Frames[index];
            if (frame.Verdict is Verdict.None or Verdict.Dropped && flows[index] is null)
            {
                _failure ??= $"worker {worker}: {frame.Verdict} {frame.Reason} of a fragment or a question";
            }

            if (flows[index] is not { } flow)
            {
                continue;
            }

            bool wasClosed = flow.Reply is null;
            if (flow.Take(frame, sent[index]) is { } fault)
            {
                _failure ??= $"worker {worker}: {fault}";
                return;
            }

            if (flow.HasClashed && wasClosed && flow.Reply is null)
            {
                Interlocked.Increment(ref _clashes);
            }
            else if (wasClosed && !_live.TryAdd(flow.Reply!.Value, flow))
            {
                _failure ??= $"worker {worker}: two live flows are answered at {flow.Reply}";
            }

            if (flow.IsOver)
            {
                Forget(flow);
            }
            else
            {
                int next = random.Next(WanderOneIn) == 0 ? random.Next(_members.Count) : _steering.WorkerOf(flow.Next());
                _flows[next].Enqueue(flow);
            }
        }

        Interlocked.Add(ref _frames, batch.Count);
    }

    private void Forget(StressFlow flow)
    {
        if (flow.Reply is { } reply)
        {
            _live.TryRemove(new KeyValuePair<(bool, uint, ushort), StressFlow>(reply, flow));
        }
    }

    private static void AddFragments(Random random, FrameBatch batch, List<StressFlow?> flows, long now)
    {
        ushort identification = (ushort)random.Next(65536);
        string client = $"10.0.1.{random.Next(200, 250)}";
        PacketBuilder whole = PacketBuilder.Udp($"{client}:{random.Next(2000, 60_000)}", SmallSwarm.Vip + ":53", new byte[40]);
        byte[] packet = whole.BuildPacket();
        PacketBuilder part = PacketBuilder.Other(client, SmallSwarm.Vip, IpProtocol.Udp, packet.AsMemory(20, 24)) with
        {
            DontFragment = false,
            Identification = identification,
            MoreFragments = true,
        };
        batch.TryAdd(SmallSwarm.ToBalancer(part).Build(), now);
        batch.TryAdd(
            SmallSwarm.ToBalancer(part with { Payload = packet.AsMemory(44), FragmentOffsetBytes = 24, MoreFragments = false }).Build(), now);
        flows.Add(null);
        flows.Add(null);
    }

    private static void AddQuestion(Random random, FrameBatch batch, List<StressFlow?> flows, long now)
    {
        Ipv4Address sender = Ipv4Address.Parse($"10.0.1.{random.Next(20, 40)}");
        ArpFields question = new(ArpOperation.Request, MacAddress.FromDocker(sender), sender, default, Ipv4Address.Parse(SmallSwarm.Lb));
        batch.TryAdd(PacketBuilder.Arp(SmallSwarm.LbMac, question), now);
        flows.Add(null);
    }

    private static void Delay(Random random)
    {
        switch (random.Next(10))
        {
            case 0:
                Thread.Yield();
                break;
            case < 4:
                Thread.SpinWait(random.Next(500));
                break;
            default:
                break;
        }
    }
}
