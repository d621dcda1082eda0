using System.Text;
using FastPathLb.Balancer.Ipvs;
using FastPathLb.Pipeline;
using FastPathLb.TestKit;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Tests.Ipvs;

/// <summary>
/// A service whose servers have letters in the order they are added: A is 10.0.1.3, B 10.0.1.4, C 10.0.1.6, D 10.0.1.10. The kernel's
/// list has the newest first, so schedulers walk D C B A.
/// </summary>
internal sealed class PickBench : IDisposable
{
    private const string Vip = SmallSwarm.Vip + ":80";

    private int _port = 40_000;

    public PickBench(string scheduler, params int[] weights)
        : this(new SmallSwarm { Scheduler = scheduler, Servers = SmallSwarm.Weighted(weights) })
    {
    }

    public PickBench(SmallSwarm swarm) => Balancer = new TestBalancer(swarm);

    public TestBalancer Balancer { get; }

    /// <summary>Opens connections, each from a port of its own.</summary>
    /// <returns>The servers' letters in order; a dash where there was none.</returns>
    public string Open(int count)
    {
        StringBuilder picks = new(count);
        for (int index = 0; index < count; index++)
        {
            picks.Append(OpenFrom(SmallSwarm.Client, ++_port));
        }

        return picks.ToString();
    }

    /// <summary>Opens a connection.</summary>
    public char OpenFrom(string client, int port, TcpFlags flags = TcpFlags.Syn, string vip = Vip)
    {
        Sent sent = Balancer.Send(PacketBuilder.Tcp($"{client}:{port}", vip, flags, 1000));
        return sent.Verdict == Verdict.Forwarded ? LetterOf(sent.Destination) : '-';
    }

    /// <summary>The client of the connection opened as the n-th, from 1, uses and resets it: it becomes inactive for ten seconds.</summary>
    public void Reset(int number)
    {
        // A RST alone does not change the state of a half-open connection.
        Balancer.Send(PacketBuilder.Tcp($"{SmallSwarm.Client}:{40_000 + number}", Vip, TcpFlags.Ack, 1001, 5001));
        Balancer.Send(PacketBuilder.Tcp($"{SmallSwarm.Client}:{40_000 + number}", Vip, TcpFlags.Rst, 1001));
    }

    /// <summary>Asks the scheduler alone.</summary>
    public char Pick(string client, ushort port = 40_000)
    {
        RealServer? server = Balancer.Service.Scheduler.Pick(
            Ipv4Address.Parse(client).Value, port, Ipv4Address.Parse(SmallSwarm.Vip).Value);
        return server is null ? '-' : LetterOf(new Ipv4Address(server.Address).ToString());
    }

    public void Add(char server, int weight = 1) => Run($"-a -f 273 -r {AddressOf(server)}:0 -m -w {weight}");

    public void Edit(char server, int weight, int upper = 0, int lower = 0) =>
        Run($"-e -f 273 -r {AddressOf(server)}:0 -m -w {weight} -x {upper} -y {lower}");

    public void Remove(char server) => Run($"-d -f 273 -r {AddressOf(server)}:0");

    public void Run(string arguments) => Assert.Null(Balancer.Run("ipvsadm " + arguments));

    public void Dispose() => Balancer.Dispose();

    public static char LetterOf(string address) => (char)('A' + SmallSwarm.ServerAddresses.ToList().IndexOf(address));

    public static string AddressOf(char server) => SmallSwarm.ServerAddresses[server - 'A'];
}
