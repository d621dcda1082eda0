using FastPathLb.Balancer.Ipvs;
using FastPathLb.Balancer.Netfilter;
using FastPathLb.Conntrack;
using FastPathLb.Pipeline;
using FastPathLb.TestKit;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Tests.Properties;

/// <summary>
/// A small Swarm in which anything may happen, beside a model that says what IPVS must then know: which flow is at which server, in
/// which state, until when. Everything is compared after every act.
/// </summary>
internal sealed class Simulation : IDisposable
{
    private const string Vip = SmallSwarm.Vip;

    /// <summary>A server counts a connection until the wheel has come round to it: two ticks at the most.</summary>
    private const long WheelNanoseconds = 2L << TimingWheel.TickShift;

    private readonly Flow[] _tcp =
        [.. Enumerable.Range(0, 6).Select(index => MakeFlow(index % 2 == 0 ? SmallSwarm.Client : SmallSwarm.OtherClient, 1001 + (index / 2), 80, IpProtocol.Tcp))];

    private readonly Flow[] _udp =
        [.. Enumerable.Range(0, 6).Select(index => MakeFlow(index % 2 == 0 ? SmallSwarm.Client : SmallSwarm.OtherClient, 2001 + (index / 2), 53, IpProtocol.Udp))];

    private readonly Dictionary<Flow, ModelConnection> _model = [];
    private readonly Dictionary<(Endpoint Server, Endpoint Client), Flow> _owners = [];
    private readonly List<ModelConnection> _ended = [];
    private readonly Dictionary<string, int> _weights = [];
    private readonly IpvsTimeouts _timeouts = new();
    private long _clientPackets;
    private long _balancedPackets;
    private long _scheduled;

    public Simulation()
    {
        Balancer = new TestBalancer(new SmallSwarm { Servers = [.. SmallSwarm.ServerAddresses.Take(3)] });
        foreach (string server in SmallSwarm.ServerAddresses.Take(3))
        {
            _weights.Add(server, 1);
        }
    }

    public TestBalancer Balancer { get; }

    /// <summary>Flows that were scheduled, for a test that wants to know that something happened.</summary>
    public long Scheduled => _scheduled;

    public void Run(IEnumerable<Act> acts)
    {
        foreach (Act act in acts)
        {
            Do(act);
            Forget();
            CompareConnections();
            CompareCounters();
        }
    }

    public void Dispose() => Balancer.Dispose();

    private static Flow MakeFlow(string client, int port, int called, IpProtocol protocol) => new()
    {
        Client = $"{client}:{port}",
        Called = $"{Vip}:{called}",
        Protocol = protocol,
    };

    private void Do(Act act)
    {
        Flow tcp = _tcp[act.Flow];
        Flow udp = _udp[act.Flow];
        string server = SmallSwarm.ServerAddresses[act.Flow % 4];
        switch (act.Kind)
        {
            case ActKind.ClientSyn:
                SendFromClient(tcp, TcpFlags.Syn);
                break;
            case ActKind.ClientAck:
                SendFromClient(tcp, TcpFlags.Ack);
                break;
            case ActKind.ClientFin:
                SendFromClient(tcp, TcpFlags.Fin | TcpFlags.Ack);
                break;
            case ActKind.ClientRst:
                SendFromClient(tcp, TcpFlags.Rst);
                break;
            case ActKind.ClientDatagram:
                SendFromClient(udp, TcpFlags.None);
                break;
            case ActKind.ServerSynAck:
                SendFromServer(tcp, TcpFlags.Syn | TcpFlags.Ack);
                break;
            case ActKind.ServerAck:
                SendFromServer(tcp, TcpFlags.Ack);
                break;
            case ActKind.ServerFin:
                SendFromServer(tcp, TcpFlags.Fin | TcpFlags.Ack);
                break;
            case ActKind.ServerRst:
                SendFromServer(tcp, TcpFlags.Rst | TcpFlags.Ack);
                break;
            case ActKind.ServerDatagram:
                SendFromServer(udp, TcpFlags.None);
                break;
            case ActKind.Wait:
                Balancer.Wait(act.Seconds);
                break;
            case ActKind.ChangeWeight when _weights.ContainsKey(server):
                _weights[server] = act.Detail % 3;
                Command($"-e -f 273 -r {server}:0 -m -w {act.Detail % 3}");
                break;
            case ActKind.RemoveServer when _weights.Remove(server):
                Command($"-d -f 273 -r {server}:0");

                // expire_nodest_conn is on: what went there is over.
                foreach (Flow flow in _model.Where(item => item.Value.Server == server).Select(item => item.Key).ToList())
                {
                    _model.Remove(flow);
                }

                break;
            case ActKind.AddServer when _weights.TryAdd(server, 1):
                Command($"-a -f 273 -r {server}:0 -m -w 1");
                break;
            default:
                break;
        }
    }

    private void Command(string arguments) => Assert.Null(Balancer.Run("ipvsadm " + arguments));

    private void SendFromClient(Flow flow, TcpFlags flags)
    {
        // What a client cannot know it does not say: conntrack would begin a second entry for it (a case of OverlayCases).
        if ((flags & TcpFlags.Ack) != 0 && !flow.IsSynchronized)
        {
            return;
        }

        Sent sent = Balancer.Send(flow.FromClient(flags));
        long now = Balancer.Now;
        _clientPackets++;
        bool opens = flow.Protocol == IpProtocol.Udp || (flags & TcpFlags.Syn) != 0;
        bool isKnown = _model.TryGetValue(flow, out ModelConnection? known) && known.Expires > now;
        if (isKnown && (flags & TcpFlags.Syn) != 0 && _weights[known!.Server] == 0)
        {
            // expire_nodest_conn and weight 0: a SYN begins anew, at once or with its repetition.
            _model.Remove(flow);
            isKnown = false;
            if (sent.Reason == DropReason.IpvsReschedule)
            {
                return;
            }
        }

        if (!isKnown && (!opens || _weights.Values.All(weight => weight == 0)))
        {
            Assert.True(sent.Verdict != Verdict.Forwarded, $"{flow.Client} is served without a connection");
            flow.IsSynchronized = false;
            return;
        }

        Assert.True(sent.Verdict == Verdict.Forwarded, $"{flow.Client} {flags}: {sent.Verdict}, {sent.Reason}");
        (Endpoint from, Endpoint at) = EndsOf(sent.Frame);
        flow.Arrived(from, at);
        _owners[(at, from)] = flow;
        _balancedPackets++;
        string server = at.Address.ToString();
        if (isKnown)
        {
            Assert.True(server == known!.Server, $"{flow.Client} was at {known.Server} and is at {server}");
        }
        else
        {
            Assert.True(_weights.GetValueOrDefault(server) > 0, $"{flow.Client} was sent to {server}, which takes none");
            _scheduled++;
        }

        Step(flow, server, known is null || !isKnown ? IpvsTcpState.None : known.State, flags, IpvsTcpTransitions.Side.Input, now);
    }

    private void SendFromServer(Flow flow, TcpFlags flags)
    {
        // A server that was reached past the connection's own entry of conntrack answers that way, while that entry lives: a case of OverlayCases.
        // A port of the load balancer's that another flow has by now is that flow's.
        if (!flow.WasServed || flow.SeenClient != new Endpoint(Ipv4Address.Parse(SmallSwarm.Lb), flow.Client.Port)
            || _owners[(flow.Server, flow.SeenClient)] != flow)
        {
            return;
        }

        Sent sent = Balancer.Send(flow.FromServer(flags));
        if (sent.Verdict != Verdict.Forwarded)
        {
            return;
        }

        // Whatever conntrack thinks of it: what reaches a client comes from where the client called.
        (Endpoint from, Endpoint to) = EndsOf(sent.Frame);
        Assert.True(from == flow.Called && to == flow.Client, $"{flow.Client} called {flow.Called} and hears {from} > {to}");
        flow.IsSynchronized |= (flags & TcpFlags.Syn) != 0;
        ModelConnection known = _model[flow];
        Assert.True(known.Expires > Balancer.Now, $"{flow.Client} hears of a connection that is over");
        Step(flow, known.Server, known.State, flags, IpvsTcpTransitions.Side.Output, Balancer.Now);
    }

    private void Step(Flow flow, string server, IpvsTcpState state, TcpFlags flags, IpvsTcpTransitions.Side side, long now)
    {
        if (flow.Protocol == IpProtocol.Udp)
        {
            _model[flow] = new ModelConnection(server, IpvsTcpState.None, now + _timeouts.Udp);
            return;
        }

        IpvsTcpState next = IpvsTcpTransitions.Next(side, flags, state, secureTcp: false);
        _model[flow] = new ModelConnection(server, next, now + _timeouts[next]);
    }

    private void Forget()
    {
        foreach ((Flow flow, ModelConnection connection) in _model.Where(item => item.Value.Expires <= Balancer.Now).ToList())
        {
            _model.Remove(flow);
            _ended.Add(connection);
        }

        _ended.RemoveAll(connection => connection.Expires <= Balancer.Now - WheelNanoseconds);
    }

    private void CompareConnections()
    {
        string[] expected =
        [
            .. _model.Select(item => $"{item.Key.Protocol} {item.Key.Client} {item.Value.Server} {item.Value.State} {item.Value.Expires}")
                .Order(StringComparer.Ordinal),
        ];
        string[] actual =
        [
            .. Balancer.Connections.Select(connection =>
                    $"{connection.Original.Protocol} {new Ipv4Address(connection.Original.Source)}:{connection.Original.SourcePort} "
                    + $"{Balancer.ServerOf(connection)} {connection.IpvsState} {connection.IpvsExpires}")
                .Order(StringComparer.Ordinal),
        ];
        Assert.Equal(expected, actual);
    }

    private void CompareCounters()
    {
        VirtualService service = Balancer.Service;
        RealServer[] servers = [.. Balancer.Built.Namespace.Ipvs.Servers];
        Assert.Equal((_scheduled, _balancedPackets), (service.Counters.Connections, service.Counters.InPackets));
        Assert.Equal(service.Counters.Connections, servers.Sum(server => server.Counters.Connections));
        Assert.Equal(service.Counters.InPackets, servers.Sum(server => server.Counters.InPackets));
        Assert.Equal(service.Counters.InBytes, servers.Sum(server => server.Counters.InBytes));
        Assert.Equal(service.Counters.OutPackets, servers.Sum(server => server.Counters.OutPackets));
        Assert.Equal(service.Counters.OutBytes, servers.Sum(server => server.Counters.OutBytes));
        PacketRule rule = Balancer.Built.Namespace.Mangle[HookPoint.LocalIn].Rules[0];
        Assert.Equal(_clientPackets, rule.Packets);
        foreach (RealServer server in servers)
        {
            string address = new Ipv4Address(server.Address).ToString();
            int live = _model.Values.Count(connection => connection.Server == address);
            if (server.IsAvailable)
            {
                Assert.InRange(server.TotalConnections, live, live + _ended.Count(connection => connection.Server == address));
            }

            Assert.InRange(server.ActiveConnections, 0, server.TotalConnections);
        }
    }

    private static (Endpoint From, Endpoint To) EndsOf(byte[] frame)
    {
        const int EthernetBytes = 14;
        Assert.True(Ipv4Header.TryParse(frame.AsSpan(EthernetBytes), out Ipv4Header ipv4));
        ReadOnlySpan<byte> ports = ipv4.Payload;
        return (
            new Endpoint(ipv4.Source, (ushort)((ports[0] << 8) | ports[1])),
            new Endpoint(ipv4.Destination, (ushort)((ports[2] << 8) | ports[3])));
    }
}
