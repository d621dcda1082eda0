using FastPathLb.Balancer.Workers;
using FastPathLb.Pipeline;
using FastPathLb.TestKit;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Tests.Workers;

public sealed class OpeningTurnsTests
{
    [Fact]
    public void Turns_count_up_and_never_are_zero()
    {
        OpeningTurns turns = new();
        for (int round = 0; round < 2; round++)
        {
            for (int turn = 1; turn <= ushort.MaxValue; turn++)
            {
                Assert.Equal(turn, turns.Deal());
            }
        }
    }

    /// <summary>
    /// The first frames are dealt out as a card would, threads run as they like, and still round robin goes on as with one worker:
    /// far enough that turns begin anew.
    /// </summary>
    [Theory]
    [InlineData(2, 1)]
    [InlineData(3, 2)]
    public void Threads_open_connections_in_the_order_of_their_turns(int workers, int seed)
    {
        const int Rounds = 600;
        const int FramesPerRound = 240;
        SmallSwarm swarm = new() { Servers = [.. SmallSwarm.ServerAddresses.Take(3)], Capacity = 1 << 18 };
        using TestWorkers group = new(swarm, workers);
        OpeningTurns turns = group.Built.Group.Turns;
        FrameBatch[] batches = [.. Enumerable.Range(0, workers).Select(_ => new FrameBatch())];
        Random random = new(seed);
        int opened = 0;
        byte[] syn = SmallSwarm.ToBalancer(PacketBuilder.Udp(SmallSwarm.Client, SmallSwarm.Vip + ":53")).Build();
        for (int round = 0; round < Rounds; round++)
        {
            Array.ForEach(batches, batch => batch.Clear());
            List<int> order = [];
            for (int index = 0; index < FramesPerRound; index++, opened++)
            {
                // Another client after each 50,000 ports; ports are the same in all of them, so that some have to be searched.
                syn[29] = (byte)(100 + (opened / 50_000));
                int port = 10_000 + (opened % 50_000);
                (syn[34], syn[35]) = ((byte)(port >> 8), (byte)port);
                (syn[40], syn[41]) = (0, 0);
                (syn[24], syn[25]) = (0, 0);
                ushort sum = InternetChecksum.Finish(InternetChecksum.Sum(syn.AsSpan(14, 20), 0));
                (syn[24], syn[25]) = ((byte)(sum >> 8), (byte)sum);
                int worker = group.Built.Group.Steering.WorkerOf(syn);
                Assert.True(batches[worker].TryAdd(syn, TestBalancer.Epoch + opened, opened));
                batches[worker].Frames[^1].Turn = turns.Deal();
                order.Add(worker);
            }

            Thread[] threads =
            [
                .. Enumerable.Range(0, workers).Select(worker =>
                {
                    int delay = random.Next(2000);
                    return new Thread(() =>
                    {
                        Thread.SpinWait(delay);
                        group.Built.Group.Members[worker].Process(batches[worker]);
                    });
                }),
            ];
            Array.ForEach(threads, thread => thread.Start());
            Array.ForEach(threads, thread => Assert.True(thread.Join(TimeSpan.FromMinutes(1)), "a worker waits for ever"));

            int[] next = new int[workers];
            string[] servers = [.. order.Select(worker => Ipv4Address.Read(batches[worker].EmittedBytes(next[worker]++)[30..]).ToString())];
            for (int index = 3; index < servers.Length; index++)
            {
                Assert.Equal(servers[index - 3], servers[index]);
            }

            Assert.Equal(3, servers.Distinct(StringComparer.Ordinal).Count());
        }

        Assert.True(opened > 2 * ushort.MaxValue);
    }
}
