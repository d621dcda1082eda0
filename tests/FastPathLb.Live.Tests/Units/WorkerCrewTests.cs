using System.Buffers.Binary;
using System.Collections.Concurrent;
using FastPathLb.Balancer.Workers;
using FastPathLb.Pipeline;
using FastPathLb.TestKit;
using FastPathLb.Wire;

namespace FastPathLb.Live.Tests.Units;

/// <summary>Several workers over queues of memory: who does what, with frames that come to any of them.</summary>
public sealed class WorkerCrewTests
{
    private const string Neighbors =
        """
          neighbors:
            - { address: 10.0.1.8, mac: "02:42:0a:00:01:08", state: PERMANENT }
            - { address: 10.0.1.3, mac: "02:42:0a:00:01:03", state: PERMANENT }
        """;

    private const string Yaml = $"lb:\n  address: 10.0.1.5/24\n{Neighbors}\nservices: [{{ vip: 10.0.1.2, servers: [10.0.1.3] }}]\n";
    private const string PersistentYaml =
        $"lb:\n  address: 10.0.1.5/24\n{Neighbors}\nservices: [{{ vip: 10.0.1.2, servers: [10.0.1.3], persistence: 60 }}]\n";

    private const string StrangerYaml = "lb: { address: 10.0.1.5/24 }\nservices: [{ vip: 10.0.1.2, servers: [10.0.1.3] }]\n";

    private const int Flows = 64;
    private const int FirstPort = 30_000;
    private const int PayloadOffset = 14 + 20 + 8;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    [Fact]
    public void Each_flow_is_one_workers_whatever_queue_it_comes_in_at_and_keeps_its_order()
    {
        const int Rounds = 200;
        ConcurrentDictionary<int, List<int>> sent = new();
        ConcurrentDictionary<int, int> senders = new();
        FakeDevice[] queues = [new(), new()];
        using FakeCrew crew = new(Yaml, queues);
        using CancellationTokenSource stop = new();
        int[] rounds = new int[queues.Length];
        for (int number = 0; number < queues.Length; number++)
        {
            int own = number;
            queues[own].OnReceive = batch =>
            {
                // Half of all flows at each queue: half of those are the other worker's. Not more than is done, so that no ring fills.
                if (rounds[own] < Rounds && sent.Values.Sum(Count) >= rounds[own] * Flows / 2)
                {
                    for (int flow = own; flow < Flows; flow += 2)
                    {
                        batch.TryAdd(Request(flow, rounds[own]), crew.Clock.Read());
                    }

                    rounds[own]++;
                }
            };
            queues[own].OnSend = frame =>
            {
                if (frame[12] == 8 && frame[13] == 0)
                {
                    int flow = BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(34)) - FirstPort;
                    List<int> list = sent.GetOrAdd(flow, _ => []);
                    lock (list)
                    {
                        list.Add(BinaryPrimitives.ReadInt32BigEndian(frame.AsSpan(PayloadOffset)));
                    }

                    Assert.Equal(own, senders.GetOrAdd(flow, own));
                }
            };
        }

        RunUntil(crew, stop, () => sent.Values.Sum(Count) >= Rounds * Flows);

        Assert.Equal(Flows, sent.Count);
        Assert.All(sent.Values, order => Assert.Equal(Enumerable.Range(0, Rounds), order));
        Assert.All(senders, item => Assert.Equal(FrameSteering.WorkerOfPort((ushort)(FirstPort + item.Key), 2), item.Value));
        Assert.All(crew.Workers, worker => Assert.True(worker.Counters.HandedOver > Rounds * 5, $"{worker.Counters.HandedOver}"));
        Assert.All(crew.Workers, worker => Assert.Equal(0, worker.Counters.HandOverDrops));

        static int Count(List<int> list)
        {
            lock (list)
            {
                return list.Count;
            }
        }
    }

    [Fact]
    public void Frames_allocate_nothing_on_any_worker_handed_over_or_not()
    {
        const int Batches = 6000;
        const int Warm = 2000;
        FakeDevice[] queues = [new(), new()];
        using FakeCrew crew = new(Yaml, queues);
        using CancellationTokenSource stop = new();
        byte[][] frames = [.. Enumerable.Range(0, Flows).Select(flow => Request(flow, 0))];
        long[] allocated = [-1, -1];
        int done = 0;
        for (int number = 0; number < queues.Length; number++)
        {
            int own = number;
            long before = 0;
            int batches = 0;
            queues[own].OnReceive = batch =>
            {
                if (++batches == Warm)
                {
                    before = GC.GetAllocatedBytesForCurrentThread();
                }
                else if (batches == Batches)
                {
                    allocated[own] = GC.GetAllocatedBytesForCurrentThread() - before;
                    if (Interlocked.Increment(ref done) == queues.Length)
                    {
                        stop.Cancel();
                    }
                }

                long now = crew.Clock.Read();
                foreach (byte[] frame in frames)
                {
                    batch.TryAdd(frame, now);
                }
            };
        }

        Assert.Null(crew.Run(stop.Token));

        Assert.Equal([0, 0], allocated);
        Assert.All(crew.Workers, worker => Assert.True(worker.Counters.HandedOver > Batches, $"{worker.Counters.HandedOver}"));
    }

    [Fact]
    public void What_one_is_told_by_ARP_all_know_and_the_first_alone_announces()
    {
        ConcurrentQueue<(int Queue, byte[] Frame)> sent = new();
        FakeDevice[] queues = [new(), new(), new()];
        using FakeCrew crew = new(StrangerYaml, queues);
        using CancellationTokenSource stop = new();
        MacAddress client = MacAddress.FromDocker(Ipv4Address.Parse(SmallSwarm.Client));
        MacAddress server = MacAddress.FromDocker(Ipv4Address.Parse("10.0.1.3"));
        Queue<byte[]> toLast = new(
        [
            PacketBuilder.Arp(MacAddress.Broadcast, new ArpFields(ArpOperation.Request, client, Ipv4Address.Parse(SmallSwarm.Client), default, Ipv4Address.Parse(SmallSwarm.Vip))),
            PacketBuilder.Arp(SmallSwarm.LbMac, new ArpFields(ArpOperation.Reply, server, Ipv4Address.Parse("10.0.1.3"), SmallSwarm.LbMac, Ipv4Address.Parse(SmallSwarm.Lb))),
        ]);
        foreach ((FakeDevice queue, int number) in queues.Select((queue, number) => (queue, number)))
        {
            queue.OnSend = frame => sent.Enqueue((number, frame));
        }

        queues[2].OnReceive = batch =>
        {
            if (toLast.TryDequeue(out byte[]? frame))
            {
                batch.TryAdd(frame, crew.Clock.Read());
            }
        };
        RunUntil(crew, stop, () => crew.Members.All.All(member => member.Namespace.Neighbors.TryGet(Ipv4Address.Parse("10.0.1.3").Value, out _)));

        Assert.All(crew.Members.All, member => Assert.True(member.Namespace.Neighbors.TryGet(Ipv4Address.Parse(SmallSwarm.Client).Value, out _)));
        (int queueOfAnswer, _) = Assert.Single(sent, item => item.Frame[21] == (byte)ArpOperation.Reply);
        Assert.Equal(0, queueOfAnswer);
        Assert.Equal([2, 0, 0], queues.Select(queue => queue.Announcements));
    }

    [Fact]
    public void Fragments_of_a_datagram_that_come_in_at_different_queues_are_put_together()
    {
        ConcurrentQueue<byte[]> sent = new();
        FakeDevice[] queues = [new(), new(), new()];
        using FakeCrew crew = new(Yaml, queues);
        using CancellationTokenSource stop = new();
        PacketBuilder first = PacketBuilder.Udp($"{SmallSwarm.Client}:5000", $"{SmallSwarm.Vip}:53", new byte[1016]) with { DontFragment = false };
        byte[] datagram = SmallSwarm.ToBalancer(first).Build();
        byte[][] fragments = [Fragment(datagram, 0, 512, more: true), Fragment(datagram, 512, 512, more: false)];
        for (int number = 0; number < queues.Length; number++)
        {
            queues[number].OnSend = frame =>
            {
                if (frame[12] == 8 && frame[13] == 0)
                {
                    sent.Enqueue(frame);
                }
            };
        }

        for (int index = 0; index < 2; index++)
        {
            byte[]? left = fragments[index];
            queues[index + 1].OnReceive = batch =>
            {
                if (left is not null)
                {
                    batch.TryAdd(left, crew.Clock.Read());
                    left = null;
                }
            };
        }

        RunUntil(crew, stop, () => !sent.IsEmpty);

        // The kernel cuts it again where it was cut.
        Assert.Equal(fragments.Select(fragment => fragment.Length), sent.Select(frame => frame.Length));
        Assert.All(sent, frame => Assert.Equal("10.0.1.3", Ipv4Address.Read(frame.AsSpan(30)).ToString()));
    }

    [Fact]
    public void A_persistent_service_is_the_first_workers_alone()
    {
        FakeDevice[] queues = [new(), new()];
        using FakeCrew crew = new(PersistentYaml, queues);
        using CancellationTokenSource stop = new();
        int round = 0;
        queues[1].OnReceive = batch =>
        {
            for (int flow = 0; round < 20 && flow < Flows; flow++)
            {
                batch.TryAdd(Request(flow, round), crew.Clock.Read());
            }

            round++;
        };
        RunUntil(crew, stop, () => crew.Members.First.Balancer.Counters[Verdict.Forwarded] == 20 * Flows);

        Assert.Equal(20 * Flows, crew.Workers[1].Counters.HandedOver);
        Assert.Equal(0, crew.Members.All[1].Balancer.Counters.FramesIn);
    }

    [Fact]
    public void A_ring_that_is_full_drops_and_counts_and_the_rest_passes()
    {
        FakeDevice[] queues = [new(), new()];
        using FakeCrew crew = new(Yaml, queues);
        using CancellationTokenSource stop = new();
        byte[][] others = [.. Enumerable.Range(0, Flows).Where(IsFirsts).Select(flow => Request(flow, 0, new byte[1400]))];
        using ManualResetEventSlim filled = new();
        int batches = 0;

        // The first worker is held up while the second one gets what belongs to the first.
        queues[0].OnReceive = _ => filled.Wait();
        queues[1].OnReceive = batch =>
        {
            for (int frame = 0; batches < 20 && frame < others.Length; frame++)
            {
                batch.TryAdd(others[frame], crew.Clock.Read());
            }

            if (++batches == 20)
            {
                filled.Set();
            }
        };
        RunUntil(crew, stop, () => Volatile.Read(ref batches) > 20 && Total(crew) == 20 * others.Length);

        WorkerFiguresOf(crew, out long handed, out long dropped);
        Assert.InRange(dropped, 1, (20 * others.Length) - 300);
        Assert.Equal(20 * others.Length, handed + dropped);
        Assert.Equal(handed, crew.Members.First.Balancer.Counters[Verdict.Forwarded]);

        static bool IsFirsts(int flow) => FrameSteering.WorkerOfPort((ushort)(FirstPort + flow), 2) == 0;
        static void WorkerFiguresOf(FakeCrew crew, out long handed, out long dropped) =>
            (handed, dropped) = (crew.Workers[1].Counters.HandedOver, crew.Workers[1].Counters.HandOverDrops);
        static long Total(FakeCrew crew) => crew.Members.First.Balancer.Counters[Verdict.Forwarded] + crew.Workers[1].Counters.HandOverDrops;
    }

    [Fact]
    public void One_whose_device_is_gone_ends_all()
    {
        FakeDevice[] queues = [new(), new()];
        using FakeCrew crew = new(Yaml, queues);
        using CancellationTokenSource stop = new(s_patience);
        queues[1].Failure = "it was removed";

        Assert.Equal("it was removed", crew.Run(stop.Token));
        Assert.False(stop.IsCancellationRequested);
        Assert.Equal(7, crew.Mailbox.Ask(() => 7, TimeSpan.Zero));
    }

    [Fact]
    public void What_is_asked_is_done_while_no_worker_processes_and_holds_none_up_for_good()
    {
        FakeDevice[] queues = [new(), new()];
        using FakeCrew crew = new(Yaml, queues);
        using CancellationTokenSource stop = new();
        byte[][] frames = [.. Enumerable.Range(0, Flows).Select(flow => Request(flow, 0))];
        foreach (FakeDevice queue in queues)
        {
            queue.OnReceive = batch =>
            {
                long now = crew.Clock.Read();
                foreach (byte[] frame in frames)
                {
                    batch.TryAdd(frame, now);
                }
            };
        }

        Thread running = new(() => crew.Run(stop.Token));
        running.Start();
        for (int question = 0; question < 200; question++)
        {
            Assert.True(crew.Mailbox.Ask(AllRest, s_patience), "somebody went on");
        }

        stop.Cancel();
        Assert.True(running.Join(s_patience));

        bool AllRest()
        {
            long before = crew.Members.All.Sum(member => member.Balancer.Counters.FramesIn);
            Thread.Sleep(1);
            return crew.Members.All.Sum(member => member.Balancer.Counters.FramesIn) == before;
        }
    }

    private static void RunUntil(FakeCrew crew, CancellationTokenSource stop, Func<bool> isDone)
    {
        string? failure = null;
        Thread thread = new(() => failure = crew.Run(stop.Token));
        thread.Start();
        bool wasDone = SpinWait.SpinUntil(() => { Thread.Sleep(1); return isDone(); }, s_patience);
        if (wasDone)
        {
            // What is sent besides is seen as well.
            Thread.Sleep(100);
        }

        stop.Cancel();
        thread.Join();
        Assert.True(wasDone, "it was not done in time");
        Assert.Null(failure);
    }

    private static byte[] Request(int flow, int number, byte[]? payload = null)
    {
        payload ??= new byte[20];
        BinaryPrimitives.WriteInt32BigEndian(payload, number);
        return SmallSwarm.ToBalancer(PacketBuilder.Udp($"{SmallSwarm.Client}:{FirstPort + flow}", $"{SmallSwarm.Vip}:53", payload)).Build();
    }

    /// <summary>A part of a datagram's IPv4 payload.</summary>
    private static byte[] Fragment(byte[] frame, int offset, int length, bool more)
    {
        const int Headers = 14 + 20;
        byte[] fragment = [.. frame[..Headers], .. frame[(Headers + offset)..(Headers + offset + length)]];
        BinaryPrimitives.WriteUInt16BigEndian(fragment.AsSpan(16), (ushort)(20 + length));
        BinaryPrimitives.WriteUInt16BigEndian(fragment.AsSpan(20), (ushort)((more ? 0x2000 : 0) | (offset / 8)));
        fragment.AsSpan(24, 2).Clear();
        BinaryPrimitives.WriteUInt16BigEndian(fragment.AsSpan(24), InternetChecksum.Finish(InternetChecksum.Sum(fragment.AsSpan(14, 20), 0)));
        return fragment;
    }
}
