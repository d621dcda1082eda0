using FastPathLb.Balancer.Ipvs;
using FastPathLb.Balancer.Netfilter;
using FastPathLb.Conntrack;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Stack;

/// <summary>
/// A Linux network namespace as far as packets can tell: interfaces, routes, neighbours, netfilter, conntrack, IPVS and its own
/// stack. Several of them, joined by links, make a node. Owned by one worker; configured between batches only.
/// </summary>
/// <remarks>
/// A packet's way, each step in a file of its own:
/// <code>
/// LinkInput → ArpResponder
///           → Ipv4Input (validation, reassembly, PREROUTING, route)
///               → LocalInput (INPUT, IPVS) → IpvsInput → Ipv4Output
///               |                          → LocalStack (echo, RST, unreachable) → Ipv4Output
///               → Ipv4Forward (TTL, MTU, FORWARD, IPVS replies) → Ipv4Output (POSTROUTING, fragments, neighbour) → link
/// </code>
/// </remarks>
public sealed class NetworkNamespace
{
    private readonly List<NetworkInterface> _interfaces = [];
    private readonly List<Route> _routes = [];
    private readonly HashSet<uint> _localAddresses = [];
    private readonly HashSet<uint> _broadcasts = [];
    private ILinkOutput[] _links = [];
    private ushort _identification;
    private long _routingVersion;

    /// <summary>Makes an empty namespace over a connection table, which it may share with others of the same worker.</summary>
    /// <param name="name">Name, for people.</param>
    /// <param name="number">Number that tells its connections from those of others in the table.</param>
    /// <param name="table">Connections.</param>
    public NetworkNamespace(string name, ushort number, ConnectionTable table)
    {
        Name = name;
        Number = number;
        Connections = table;
        Tracker = new ConnectionTracker(this, table);
        Translator = new AddressTranslator(this, Tracker);
        Ipvs = new IpvsCore(this, table);
        Reassembler = new FragmentReassembler(this);
        Resolver = new NeighborResolver(this);
        PathMtus = new PathMtuTable(this);
        Output = new Ipv4Output(this);
        IcmpErrors = new IcmpErrors(this);
        LocalStack = new LocalStack(this);
        LocalInput = new LocalInput(this);
        Forward = new Ipv4Forward(this);
        Ipv4Input = new Ipv4Input(this);
        Arp = new ArpResponder(this);
        LinkInput = new LinkInput(this);
    }

    /// <summary>Name.</summary>
    public string Name { get; }

    /// <summary>Number that tells its connections from others' in the table.</summary>
    public ushort Number { get; }

    /// <summary>The connection table.</summary>
    public ConnectionTable Connections { get; }

    /// <summary>Interfaces in order.</summary>
    public IReadOnlyList<NetworkInterface> Interfaces => _interfaces;

    /// <summary>Routes, longest prefix first.</summary>
    public IReadOnlyList<Route> Routes => _routes;

    /// <summary>Neighbours.</summary>
    public NeighborTable Neighbors { get; } = new();

    /// <summary>The mangle table.</summary>
    public RuleTable Mangle { get; } = new("mangle");

    /// <summary>The filter table.</summary>
    public RuleTable Filter { get; } = new("filter");

    /// <summary>Connection tracking.</summary>
    public ConnectionTracker Tracker { get; }

    /// <summary>Address translation and the nat table.</summary>
    public AddressTranslator Translator { get; }

    /// <summary>IP virtual server.</summary>
    public IpvsCore Ipvs { get; }

    /// <summary>Whether packets for others are forwarded (net.ipv4.ip_forward).</summary>
    public bool ForwardsPackets { get; set; } = true;

    /// <summary>Whether programs listen here that nothing tells of, as on a host: then what is for them is taken without a word.</summary>
    public bool HasUnknownListeners { get; set; }

    /// <summary>Programs that take what is delivered to their sockets; null where there are none that are known.</summary>
    internal ILocalPrograms? Programs { get; set; }

    /// <summary>Whether senders are told of better routes (send_redirects).</summary>
    public bool SendsRedirects { get; set; } = true;

    /// <summary>Packets whose transport checksum their sender's offload left unfinished.</summary>
    public long PartialChecksumPackets { get; internal set; }

    /// <summary>Packets above the MTU that stand for several: a sender's or receiver's segmentation offload.</summary>
    public long SuperPackets { get; internal set; }

    /// <summary>ICMP errors and their rate limits.</summary>
    public IcmpErrors IcmpErrors { get; }

    /// <summary>
    /// Identifications that a recording shows the kernel drew for packets of its own, by source, destination and protocol with
    /// the ICMP type as destination port; null where there is no recording.
    /// </summary>
    public IReadOnlyDictionary<FlowKey, Queue<ushort>>? RecordedIdentifications { get; set; }

    internal LinkInput LinkInput { get; }

    internal FragmentReassembler Reassembler { get; }

    internal NeighborResolver Resolver { get; }

    internal ArpResponder Arp { get; }

    internal Ipv4Input Ipv4Input { get; }

    internal LocalInput LocalInput { get; }

    internal LocalStack LocalStack { get; }

    internal Ipv4Forward Forward { get; }

    internal Ipv4Output Output { get; }

    internal PathMtuTable PathMtus { get; }

    /// <summary>When <see cref="Advance"/> has something to do next, nanoseconds since the Unix epoch; not later than that.</summary>
    internal long NextDue =>
        Math.Min(Math.Min(Reassembler.NextDue, Resolver.NextDue), Math.Min(Ipvs.NextDue, Connections.Wheel.NextDue));

    /// <summary>
    /// A number that changes whenever something changes by which packets of an established connection are decided: rules,
    /// addresses, routes, services, switches.
    /// </summary>
    internal long ConfigurationVersion =>
        ((_routingVersion + Mangle.Version + Filter.Version + Translator.Table.Version + Ipvs.ServicesVersion) << 3)
        | (ForwardsPackets ? 1L : 0) | (SendsRedirects ? 2L : 0) | (Ipvs.IsActive ? 4L : 0);

    /// <summary>Adds an interface.</summary>
    public void AddInterface(NetworkInterface device)
    {
        _interfaces.Add(device);
        Array.Resize(ref _links, _interfaces.Count);
        _links[^1] = new LooseEnd();
    }

    /// <summary>Adds an address with its connected route, as <c>ip addr add</c> does.</summary>
    public void AddAddress(NetworkInterface device, Ipv4Prefix address)
    {
        _routingVersion++;
        device.Add(address);
        _localAddresses.Add(address.Address.Value);
        if (address.Length < 31)
        {
            _broadcasts.Add(address.Broadcast.Value);
            _broadcasts.Add(address.Network.Value);
        }

        if (address.Length < Ipv4Prefix.LengthMax)
        {
            AddRoute(new Route(new Ipv4Prefix(address.Network, address.Length), 0, device, address.Address.Value));
        }
    }

    /// <summary>Removes an address and its connected route, as <c>ip addr del</c> does.</summary>
    public void RemoveAddress(NetworkInterface device, Ipv4Prefix address)
    {
        if (!device.Remove(address))
        {
            return;
        }

        _routingVersion++;
        _localAddresses.Clear();
        _broadcasts.Clear();
        foreach (NetworkInterface other in _interfaces)
        {
            foreach (Ipv4Prefix kept in other.Addresses)
            {
                _localAddresses.Add(kept.Address.Value);
                if (kept.Length < 31)
                {
                    _broadcasts.Add(kept.Broadcast.Value);
                    _broadcasts.Add(kept.Network.Value);
                }
            }
        }

        if (address.Length < Ipv4Prefix.LengthMax)
        {
            _routes.RemoveAll(route => route.Via == 0 && route.Interface == device
                && route.Destination == new Ipv4Prefix(address.Network, address.Length)
                && route.PreferredSource == address.Address.Value);
        }
    }

    /// <summary>Adds a route unless it is there.</summary>
    public void AddRoute(Route route)
    {
        if (_routes.Contains(route))
        {
            return;
        }

        _routingVersion++;
        int index = _routes.FindIndex(other => other.Destination.Length < route.Destination.Length);
        _routes.Insert(index < 0 ? _routes.Count : index, route);
    }

    /// <summary>Removes a route, where it is there.</summary>
    public void RemoveRoute(Route route)
    {
        if (_routes.Remove(route))
        {
            _routingVersion++;
        }
    }

    /// <summary>
    /// The virtual service that a flow from a client would reach: by the mark its packets would get at PREROUTING and INPUT, or by
    /// address and port. Counts nothing.
    /// </summary>
    public VirtualService? FindServiceOf(FlowKey flow)
    {
        uint fwmark = Mangle.MarkOf(HookPoint.LocalIn, flow, Mangle.MarkOf(HookPoint.PreRouting, flow, 0));
        return Ipvs.FindService(fwmark, flow.Protocol, flow.Destination, flow.DestinationPort);
    }

    /// <summary>Whether an address is the namespace's own.</summary>
    public bool IsLocalAddress(uint address) => _localAddresses.Contains(address) || address >> 24 == 127;

    /// <summary>Whether an address is a broadcast address of one of the interfaces.</summary>
    public bool IsBroadcastAddress(uint address) => address == uint.MaxValue || _broadcasts.Contains(address);

    /// <summary>Whether nobody may send from an address (ip_route_input_slow): multicast, loopback, the namespace's own.</summary>
    internal bool IsMartianSource(uint source, uint destination) =>
        source >> 28 >= 0xE || source >> 24 == 127 || (source == 0 && destination != uint.MaxValue)
        || IsLocalAddress(source) || (IsBroadcastAddress(source) && source != 0);

    /// <summary>Finds the route with the longest matching prefix.</summary>
    internal Route? FindRoute(uint destination)
    {
        for (int index = 0; index < _routes.Count; index++)
        {
            if (_routes[index].Destination.Contains(new Ipv4Address(destination)))
            {
                return _routes[index];
            }
        }

        return null;
    }

    /// <summary>Plugs a cable into an interface.</summary>
    internal void Connect(NetworkInterface device, ILinkOutput link) => _links[device.Index] = link;

    internal ILinkOutput LinkOf(NetworkInterface device) => _links[device.Index];

    /// <summary>
    /// Does what is due by now: connections that expire, datagrams that were never completed, next hops that did not answer.
    /// Called with times that never go back.
    /// </summary>
    /// <param name="now">Time, nanoseconds since the Unix epoch.</param>
    /// <param name="batch">Where frames go that this causes.</param>
    public void Advance(long now, FrameBatch batch)
    {
        // In the order of their times: an error about a connection must find it, though it be gone by now.
        for (long due = Math.Min(Reassembler.NextDue, Resolver.NextDue); due <= now;
            due = Math.Min(Reassembler.NextDue, Resolver.NextDue))
        {
            Ipvs.Expire(due);
            Reassembler.Expire(due, batch);
            Resolver.Expire(due, batch);
        }

        Ipvs.Expire(now);
    }

    /// <summary>Lets neighbours age from now on, as on a live network.</summary>
    /// <param name="device">The interface by which they are reached.</param>
    /// <param name="seed">What reachable times are drawn by.</param>
    public void AgeNeighbors(NetworkInterface device, ulong seed) => Neighbors.Aging = new NeighborAging(
        Neighbors, (address, mac, batch, now) => Resolver.Probe(device, address, mac, batch, now), seed);

    /// <summary>Sets where the kernel's timers of about a second fire: see <see cref="NeighborResolver.WheelPhase"/>.</summary>
    public void SetTimerPhase(long nanoseconds) => Resolver.WheelPhase = nanoseconds;

    /// <summary>
    /// The identification of the next packet that this namespace itself sends. The kernel draws them; here they count up, but for
    /// those that a recording tells.
    /// </summary>
    internal ushort NextIdentification(uint source, uint destination, IpProtocol protocol, byte type)
    {
        FlowKey key = new() { Source = source, Destination = destination, Protocol = protocol, DestinationPort = type };
        return RecordedIdentifications is { } recorded && recorded.TryGetValue(key, out Queue<ushort>? queue)
            && queue.TryDequeue(out ushort drawn) ? drawn : ++_identification;
    }

    /// <summary>An interface that leads to no attach point: what leaves by it is seen nowhere.</summary>
    private sealed class LooseEnd : ILinkOutput
    {
        public DropReason Transmit(FrameBatch batch, int offset, int lengthBytes, int inputIndex, long now) =>
            DropReason.InterfaceNotReplayed;
    }

    /// <summary>Lets a frame in by an interface.</summary>
    internal Outcome Receive(
        NetworkInterface device, FrameBatch batch, int offset, int capturedBytes, int wireBytes, int inputIndex, long now,
        out int connection) =>
        LinkInput.Receive(device, batch, offset, capturedBytes, wireBytes, inputIndex, now, out connection);

    /// <summary>Sends a packet of a program here: from OUTPUT on.</summary>
    internal Outcome Originate(FrameBatch batch, int offset, int capturedBytes, int wireBytes, int inputIndex, long now) =>
        Output.Originate(batch, offset, capturedBytes, wireBytes, inputIndex, now);
}
