using FastPathLb.Balancer.Ipvs;
using FastPathLb.Conntrack;
using FastPathLb.Engine.Building;
using FastPathLb.NodeState;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.TestKit;

/// <summary>A load balancer at work under a clock that the test turns: frames in one by one, what became of each out.</summary>
public sealed class TestBalancer : IDisposable
{
    /// <summary>Where the clock begins: a second on a tick of nothing.</summary>
    public const long Epoch = 1_700_000_000_000_000_000;

    private const long Second = 1_000_000_000;

    private readonly FrameBatch _batch = new();
    private readonly MemorySink _sink = new();

    /// <summary>Sets a small Swarm to work.</summary>
    public TestBalancer(SmallSwarm swarm)
        : this(swarm.Build())
    {
    }

    /// <summary>Sets a load balancer to work.</summary>
    public TestBalancer(BuiltLoadBalancer built)
    {
        Built = built;
        _batch.ConnectSink(_sink);
    }

    /// <summary>The load balancer and its parts.</summary>
    public BuiltLoadBalancer Built { get; }

    /// <summary>The time, nanoseconds since the Unix epoch. Every frame takes a microsecond.</summary>
    public long Now { get; set; } = Epoch;

    /// <summary>Times of the frames that were sent last, nanoseconds since the Unix epoch.</summary>
    public IReadOnlyList<long> SentAt => [.. _sink.Frames.Select(sent => sent.TimestampNanoseconds)];

    /// <summary>Seconds since the beginning.</summary>
    public double Seconds => (Now - Epoch) / (double)Second;

    /// <summary>The service.</summary>
    public VirtualService Service => Built.Namespace.Ipvs.FindService(ServiceKey.OfFwmark(SmallSwarm.Mark))!;

    /// <summary>Connections of IPVS that are alive, templates left out, in the order of their numbers.</summary>
    public IReadOnlyList<Connection> Connections => Collect(connection =>
        connection.IsBalanced && (connection.Flags & ConnectionFlags.Template) == 0 && connection.IpvsExpires > Now);

    /// <summary>Templates that are alive.</summary>
    public IReadOnlyList<Connection> Templates => Collect(connection =>
        connection.IsBalanced && (connection.Flags & ConnectionFlags.Template) != 0 && connection.IpvsExpires > Now);

    /// <summary>A server by its address.</summary>
    public RealServer Server(string address)
    {
        foreach (RealServer server in Service.Servers)
        {
            if (server.Address == Ipv4Address.Parse(address).Value)
            {
                return server;
            }
        }

        throw new ArgumentException($"the service has no server {address}", nameof(address));
    }

    /// <summary>Address of the server that a connection goes to.</summary>
    public string ServerOf(in Connection connection) =>
        new Ipv4Address(Built.Namespace.Ipvs.Servers[connection.Server].Address).ToString();

    /// <summary>Lets time pass.</summary>
    /// <returns>What timers sent.</returns>
    public IReadOnlyList<byte[]> Wait(double seconds)
    {
        Now += (long)(seconds * Second);
        _batch.Clear();
        _sink.Clear();
        Built.Balancer.Advance(Now, _batch);
        _batch.Flush();
        return [.. _sink.Frames.Select(sent => sent.Bytes)];
    }

    /// <summary>Does what an operator would type.</summary>
    /// <returns>What was wrong with it, or null.</returns>
    public string? Run(string command) => CommandApplier.Apply(Built, NodeCommandReader.Parse(command), Now);

    /// <summary>Sends a packet to the load balancer's interface.</summary>
    public Sent Send(PacketBuilder packet) => Send(SmallSwarm.ToBalancer(packet).Build());

    /// <summary>Sends a frame as it is.</summary>
    public Sent Send(byte[] frame, int wireLengthBytes = -1)
    {
        Now += 1000;
        _batch.Clear();
        _sink.Clear();
        if (!_batch.TryAdd(frame, Now, 1, wireLengthBytes))
        {
            throw new ArgumentException("the frame does not fit into a batch", nameof(frame));
        }

        Built.Balancer.Process(_batch);
        _batch.Flush();
        FrameDescriptor descriptor = _batch.Frames[0];
        return new Sent(descriptor.Verdict, descriptor.Reason, descriptor.Connection, [.. _sink.Frames.Select(sent => sent.Bytes)]);
    }

    /// <inheritdoc/>
    public void Dispose() => Built.Dispose();

    private List<Connection> Collect(Predicate<Connection> condition)
    {
        List<Connection> found = [];
        for (int number = 0; number < Built.Table.NumbersUsed; number++)
        {
            if (condition(Built.Table[number]))
            {
                found.Add(Built.Table[number]);
            }
        }

        return found;
    }
}
