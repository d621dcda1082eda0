using FastPathLb.Engine.Building;
using FastPathLb.Pipeline;
using FastPathLb.TestKit;

namespace FastPathLb.Balancer.Tests.Workers;

/// <summary>Several workers on one thread, under a clock that the test turns: each frame is given to the worker that the test names.</summary>
internal sealed class TestWorkers : IDisposable
{
    private readonly FrameBatch _batch = new();
    private readonly MemorySink _sink = new();

    public TestWorkers(SmallSwarm swarm, int workers)
        : this(LoadBalancerBuilder.BuildWorkers(swarm.ToNode(), OptionsOf(swarm), workers))
    {
    }

    public TestWorkers(BuiltWorkers built)
    {
        Built = built;
        _batch.ConnectSink(_sink);
    }

    public BuiltWorkers Built { get; }

    public long Now { get; set; } = TestBalancer.Epoch;

    public static LoadBalancerOptions OptionsOf(SmallSwarm swarm) => new()
    {
        AttachPoint = swarm.AttachPoint,
        Capacity = swarm.Capacity,
        PortPolicy = swarm.PortPolicy,
        Seed = swarm.Seed,
    };

    /// <summary>Sends a frame through one worker. Every frame takes a microsecond.</summary>
    public Sent Send(int worker, byte[] frame)
    {
        Now += 1000;
        _batch.Clear();
        _sink.Clear();
        Assert.True(_batch.TryAdd(frame, Now, 1));
        Built.Group.Members[worker].Process(_batch);
        _batch.Flush();
        FrameDescriptor descriptor = _batch.Frames[0];
        return new Sent(descriptor.Verdict, descriptor.Reason, descriptor.Connection, [.. _sink.Frames.Select(sent => sent.Bytes)]);
    }

    public Sent Send(int worker, PacketBuilder packet) => Send(worker, SmallSwarm.ToBalancer(packet).Build());

    /// <summary>Sends packets through one worker, in one batch.</summary>
    /// <returns>What the worker sent.</returns>
    public IReadOnlyList<byte[]> SendAll(int worker, IReadOnlyList<PacketBuilder> packets, ushort turn = 0)
    {
        _batch.Clear();
        _sink.Clear();
        foreach (PacketBuilder packet in packets)
        {
            Assert.True(_batch.TryAdd(SmallSwarm.ToBalancer(packet).Build(), Now += 1000, 1));
            _batch.Frames[^1].Turn = turn;
        }

        Built.Group.Members[worker].Process(_batch);
        _batch.Flush();
        return [.. _sink.Frames.Select(sent => sent.Bytes)];
    }

    /// <summary>Lets time pass for all workers.</summary>
    /// <returns>What timers sent.</returns>
    public IReadOnlyList<byte[]> Wait(double seconds)
    {
        Now += (long)(seconds * 1_000_000_000);
        _batch.Clear();
        _sink.Clear();
        foreach (LoadBalancer member in Built.Group.Members)
        {
            member.Advance(Now, _batch);
        }

        _batch.Flush();
        return [.. _sink.Frames.Select(sent => sent.Bytes)];
    }

    public void Dispose() => Built.Dispose();
}
