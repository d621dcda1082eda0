using FastPathLb.Live.Running;
using FastPathLb.Wire;

namespace FastPathLb.Live.Tests.Units;

/// <summary>The loop over a device of memory: what it costs, and what it does while nothing comes.</summary>
public sealed class LoopTests
{
    private const string Yaml =
        """
        lb: { address: 10.0.1.5/24 }
        services: [{ vip: 10.0.1.2, servers: [10.0.1.3] }]
        """;

    [Fact]
    public void Millions_of_frames_allocate_nothing()
    {
        const int Batches = 20_000;
        const int Warm = 2_000;
        using FakeDevice device = new();
        using FakeCrew crew = new(Yaml, device);
        using CancellationTokenSource stop = new();
        LiveClock clock = crew.Clock;
        long before = 0;
        long allocated = -1;
        int batches = 0;
        byte[] frame = Datagram();
        device.OnReceive = batch =>
        {
            if (++batches == Warm)
            {
                before = GC.GetAllocatedBytesForCurrentThread();
            }
            else if (batches == Batches)
            {
                allocated = GC.GetAllocatedBytesForCurrentThread() - before;
                stop.Cancel();
            }

            long now = clock.Read();
            while (batch.TryAdd(frame, now))
            {
            }
        };

        Assert.Null(crew.Run(stop.Token));

        Assert.Equal(0, allocated);
        Assert.True(device.Sent > Batches * 200L, $"{device.Sent} sent");
    }

    [Fact]
    public void It_announces_itself_three_times_and_does_what_others_ask_while_nothing_comes()
    {
        using FakeDevice device = new();
        using FakeCrew crew = new(Yaml, device);
        WorkerMailbox mailbox = crew.Mailbox;
        using CancellationTokenSource stop = new();
        Assert.Throws<TimeoutException>(() => mailbox.Ask(() => 1, TimeSpan.FromMilliseconds(10)));
        Thread thread = new(() => crew.Run(stop.Token));
        thread.Start();

        Assert.Equal(42, mailbox.Ask(() => 42, TimeSpan.FromSeconds(10)));
        Assert.Throws<InvalidOperationException>(() => mailbox.Ask<int>(() => throw new InvalidOperationException("no"), TimeSpan.FromSeconds(10)));
        Thread.Sleep(2600);
        stop.Cancel();
        thread.Join();

        Assert.Equal(6, device.Announcements);
        Assert.Equal(1, mailbox.Ask(() => 1, TimeSpan.Zero));
    }

    /// <summary>A datagram for the load balancer's own address, which is answered: no next hop has to be asked for.</summary>
    private static byte[] Datagram()
    {
        byte[] frame = new byte[60];
        MacAddress client = MacAddress.Parse("02:42:0a:00:01:08");
        new EthernetFields(MacAddress.FromDocker(Ipv4Address.Parse("10.0.1.5")), client, EtherType.Arp).WriteTo(frame);
        new ArpFields(ArpOperation.Request, client, Ipv4Address.Parse("10.0.1.8"), default, Ipv4Address.Parse("10.0.1.2")).WriteTo(frame.AsSpan(14));
        return frame;
    }
}
