using System.Buffers.Binary;
using FastPathLb.Balancer.Node;
using FastPathLb.Balancer.Stack;
using FastPathLb.Engine.Building;
using FastPathLb.Wire;

namespace FastPathLb.Engine.Replaying;

/// <summary>
/// What captures of a node tell that its dumps cannot: for each namespace whose devices were all captured what
/// <see cref="RecordingHints"/> tells, endpoints that came later, and MACs on the card's link.
/// </summary>
public sealed class NodeHints
{
    private const int EnvelopeBytes = 50;
    private const int UdpPortOffset = EthernetHeader.MinimumLengthBytes + Ipv4Header.MinimumLengthBytes + 2;
    private const int VniOffset = EnvelopeBytes - 4;

    private readonly SwarmNode _node;
    private readonly Dictionary<string, HintCollector> _collectors = new(StringComparer.Ordinal);
    private readonly Dictionary<string, RecordingHints> _spaces = new(StringComparer.Ordinal);
    private readonly List<SeenEndpoint> _endpoints = [];
    private readonly Dictionary<(NodeBridge Bridge, MacAddress Mac), Ipv4Address> _remotes = [];
    private readonly HashSet<(NodeBridge Bridge, MacAddress Mac)> _senders = [];
    private Dictionary<uint, MacAddress> _linkNeighbors = [];

    private NodeHints(SwarmNode node) => _node = node;

    /// <summary>What each namespace's captures tell, by its name.</summary>
    public IReadOnlyDictionary<string, RecordingHints> Spaces => _spaces;

    /// <summary>Endpoints that no dump has.</summary>
    public IReadOnlyList<SeenEndpoint> Endpoints => _endpoints;

    /// <summary>Looks through captures.</summary>
    /// <param name="node">A node as dumped, which is not used otherwise afterwards.</param>
    /// <param name="source">Its captures, from their beginning; they are read to their end.</param>
    /// <param name="captured">The ports that were captured.</param>
    /// <param name="learnsNeighbors">Whether MACs on the card's link are taken from there.</param>
    /// <param name="stopping">Ends the look early.</param>
    public static NodeHints Infer(
        SwarmNode node, NodeSource source, IReadOnlySet<int> captured, bool learnsNeighbors, CancellationToken stopping = default)
    {
        NodeHints hints = new(node);
        foreach (NetworkNamespace space in node.Spaces)
        {
            // A namespace that was heard with one ear only sent more than is known.
            int[] ports = [.. Enumerable.Range(0, node.Ports.Count).Where(port => node.Ports[port].Space == space)];
            if (ports.Length > 0 && ports.All(captured.Contains))
            {
                hints._collectors.Add(space.Name, new HintCollector(space));
            }
        }

        source.Visit((port, frame, timestamp, number) => hints.Look(port, frame, timestamp, number, learnsNeighbors), stopping);
        hints.End(learnsNeighbors);
        return hints;
    }

    /// <summary>Puts a node into the state that its captures show it was in.</summary>
    /// <returns>What was inferred, one sentence each.</returns>
    public IReadOnlyList<string> Apply(BuiltNode built)
    {
        List<string> notes = [];
        foreach ((uint address, MacAddress mac) in _linkNeighbors)
        {
            built.Node.SetLinkNeighbor(new Ipv4Address(address), mac);
        }

        if (_linkNeighbors.Count > 0)
        {
            notes.Add("MACs of other nodes and of clients on the node's own network are taken from the capture.");
        }

        foreach (IGrouping<(string Network, Ipv4Address? Vtep), SeenEndpoint> seen in _endpoints.GroupBy(item => (item.Network, item.Vtep)))
        {
            NodeBridge bridge = built.Node.Bridges.First(item => item.Name == seen.Key.Network);
            foreach (SeenEndpoint endpoint in seen)
            {
                Add(built.Node, bridge, endpoint);
            }

            string where = seen.Key.Vtep is { } vtep ? $"at {vtep}" : "on this node";
            notes.Add($"{string.Join(", ", seen.Select(item => item.Address))} of {bridge.Name} came after the dumps were made; that they "
                + $"are {where} is taken from the captures.");
        }

        foreach ((string name, RecordingHints space) in _spaces)
        {
            notes.AddRange(HintApplier.Apply(built.Find(name)!, space, RoundRobinStart.AsListed).Select(note => $"{name}: {note}"));
        }

        return notes;
    }

    private static void Add(SwarmNode node, NodeBridge bridge, SeenEndpoint endpoint)
    {
        if (endpoint.Vtep is { } vtep)
        {
            bridge.Fdb!.Set(endpoint.Mac, vtep.Value);
            bridge.Neighbors!.Set(endpoint.Address.Value, endpoint.Mac);
        }
        else
        {
            node.PlugTask(bridge, $"{endpoint.Address}@{bridge.Name}", endpoint.Mac, endpoint.Address);
        }
    }

    private void Look(int port, byte[] frame, long timestamp, long number, bool learnsNeighbors)
    {
        if (frame.Length < EthernetHeader.MinimumLengthBytes)
        {
            return;
        }

        if (port == SwarmNode.UplinkPort)
        {
            if (learnsNeighbors)
            {
                _node.LearnNeighbor(frame);
            }

            LookIntoTunnel(frame);
            return;
        }

        NodePort place = _node.Ports[port];
        MacAddress source = MacAddress.Read(frame.AsSpan(EthernetHeader.SourceOffset));
        if (place.Space is { } space && _collectors.TryGetValue(space.Name, out HintCollector? collector))
        {
            collector.Add(frame, timestamp, number, source == place.Mac);
        }

        if (source != place.Mac)
        {
            _senders.Add((place.Bridge!, source));
        }
    }

    // What the node sent proves that it knew where to; who sends to it is learned by the tunnel itself.
    private void LookIntoTunnel(ReadOnlySpan<byte> frame)
    {
        if (frame.Length < EnvelopeBytes + EthernetHeader.MinimumLengthBytes || !_node.IsOwn(frame)
            || !EthernetHeader.TryParse(frame, out EthernetHeader ethernet) || ethernet.EtherType != EtherType.Ipv4
            || !Ipv4Header.TryParse(ethernet.Payload, out Ipv4Header outer) || outer.Protocol != IpProtocol.Udp
            || BinaryPrimitives.ReadUInt16BigEndian(frame[UdpPortOffset..]) != _node.TunnelPort)
        {
            return;
        }

        uint vni = BinaryPrimitives.ReadUInt32BigEndian(frame[VniOffset..]) >> 8;
        if (_node.Bridges.FirstOrDefault(item => item.Vni == vni) is { } bridge)
        {
            ReadOnlySpan<byte> inner = frame[EnvelopeBytes..];
            _remotes[(bridge, MacAddress.Read(inner))] = outer.Destination;
            _senders.Add((bridge, MacAddress.Read(inner[EthernetHeader.SourceOffset..])));
        }
    }

    private void End(bool learnsNeighbors)
    {
        foreach ((string name, HintCollector collector) in _collectors)
        {
            RecordingHints hints = collector.ToHints();

            // Captures of several devices are taken in the order of their times.
            hints.OvertakenFrames.Clear();
            _spaces.Add(name, hints);
        }

        if (learnsNeighbors)
        {
            _linkNeighbors = new(_node.Spaces[0].Neighbors.Entries);
        }

        foreach (((NodeBridge bridge, MacAddress mac), Ipv4Address vtep) in _remotes)
        {
            AddEndpoint(bridge, mac, vtep);
        }

        foreach ((NodeBridge bridge, MacAddress mac) in _senders.Where(sender => !_remotes.ContainsKey(sender)))
        {
            AddEndpoint(bridge, mac, null);
        }
    }

    private void AddEndpoint(NodeBridge bridge, MacAddress mac, Ipv4Address? vtep)
    {
        Ipv4Address address = new((uint)mac.Value);
        bool isKnown = bridge.Fdb?.TryGet(mac, out _) == true
            || _node.Ports.Any(port => port.Bridge == bridge && port.Mac == mac);
        if (!isKnown && MacAddress.FromDocker(address) == mac)
        {
            _endpoints.Add(new SeenEndpoint(bridge.Name, address, mac, vtep));
        }
    }
}
