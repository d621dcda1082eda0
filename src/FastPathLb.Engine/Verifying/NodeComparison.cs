using System.Buffers.Binary;
using FastPathLb.Balancer;
using FastPathLb.Balancer.Node;
using FastPathLb.Engine.Building;
using FastPathLb.NodeState;
using FastPathLb.Wire;

namespace FastPathLb.Engine.Verifying;

/// <summary>
/// Are the frames at each port of a node those that its captures show? At the card: VXLAN, and flows of published ports. At namespaces'
/// devices: all IPv4 but what tasks sent there. Left out, and counted, is what is no work of the node's, or has no cause in any capture.
/// </summary>
public sealed class NodeComparison
{
    private const int EthernetBytes = EthernetHeader.MinimumLengthBytes;
    private const int EnvelopeBytes = 50;
    private const int UdpPortOffset = EthernetBytes + 20 + 2;

    private readonly SwarmNode _node;
    private readonly HashSet<int> _captured = [];
    private readonly HashSet<NodeBridge> _heard = [];
    private readonly HashSet<ushort> _answeredWithin = [];
    private readonly HashSet<(IpProtocol Protocol, ushort Port)> _published;
    private readonly ushort _vxlanPort;
    private readonly SortedDictionary<string, FrameComparison> _comparisons = new(StringComparer.Ordinal);

    /// <summary>Makes a comparison.</summary>
    /// <param name="built">The node.</param>
    /// <param name="state">Its state, which tells the published ports.</param>
    public NodeComparison(BuiltNode built, NodeState.NodeState state)
    {
        _node = built.Node;
        NamespaceState host = state["host"];
        _published =
        [
            .. from chain in host.Iptables.Nat.Chains
               from rule in chain.Rules
               where rule is { TargetKind: RuleTarget.DestinationNat, Protocol: not null, DestinationPorts: not null }
               from range in rule.DestinationPorts!.Ranges
               from port in Enumerable.Range(range.First, range.Last - range.First + 1)
               select (rule.Protocol!.Protocol, (ushort)port),
        ];
        _vxlanPort = (ushort)(state.Namespaces.Values.SelectMany(space => space.Interfaces)
            .FirstOrDefault(device => device.Vxlan is not null)?.Vxlan!.DestinationPort ?? VxlanState.DefaultPort);
    }

    /// <summary>Frames of the host's own programs.</summary>
    public long HostFrameCount { get; private set; }

    /// <summary>Answers of this node's own tasks to published ports, of which no capture shows what the tasks sent.</summary>
    public long UncausedFrameCount { get; private set; }

    /// <summary>Frames of load balancers that only this node's own tasks call, where no capture shows those calls.</summary>
    public long UnheardFrameCount { get; private set; }

    /// <summary>Says that there is a capture of a port.</summary>
    public void AddCapture(int port)
    {
        _captured.Add(port);
        if (_node.Ports[port].Bridge is { } bridge)
        {
            _heard.Add(bridge);
        }
    }

    /// <summary>Adds a frame that a capture shows.</summary>
    public void AddExpected(int port, byte[] frame, long timestamp, long number) =>
        Find(port, frame, counts: true)?.AddExpected(frame, timestamp, number);

    /// <summary>Adds a frame that left the node, or passed a namespace's device.</summary>
    public void AddActual(int port, ReadOnlySpan<byte> frame, long timestamp, long number)
    {
        if (_node.Ports[port] is { Kind: NodePortKind.Task } task && !_heard.Contains(task.Bridge!)
            && TryReadPorts(frame, out ushort client, out _))
        {
            _answeredWithin.Add(client);
        }

        if (_captured.Contains(port))
        {
            Find(port, frame, counts: false)?.AddActual(frame, timestamp, number);
        }
    }

    /// <summary>Compares, port by port.</summary>
    public IReadOnlyList<(string Name, FrameVerdict Verdict)> Compare() =>
        [.. _comparisons.Select(item => (item.Key, WithoutUncaused(item.Value.Compare())))];

    // Without a capture of a device at their bridge nobody says what this node's own tasks answer, so their answers cannot come out.
    private FrameVerdict WithoutUncaused(FrameVerdict verdict)
    {
        FrameDifference[] differences =
        [
            .. verdict.Differences.Where(difference => difference is not { Expected: { } expected, Actual: null }
                || !TryReadPorts(expected.Bytes, out _, out ushort client)
                || !_answeredWithin.Contains(client)),
        ];
        int left = verdict.Differences.Count - differences.Length;
        UncausedFrameCount += left;
        return verdict with { ExpectedCount = verdict.ExpectedCount - left, Differences = differences };
    }

    private static bool TryReadPorts(ReadOnlySpan<byte> frame, out ushort source, out ushort destination)
    {
        source = 0;
        destination = 0;
        if (frame.Length < EthernetBytes || EtherTypeOf(frame) != EtherType.Ipv4
            || !Ipv4Header.TryParse(frame[EthernetBytes..], out Ipv4Header packet) || packet.Payload.Length < 4)
        {
            return false;
        }

        source = BinaryPrimitives.ReadUInt16BigEndian(packet.Payload);
        destination = BinaryPrimitives.ReadUInt16BigEndian(packet.Payload[2..]);
        return true;
    }

    private FrameComparison? Find(int port, ReadOnlySpan<byte> frame, bool counts)
    {
        if (frame.Length < EthernetBytes + Ipv4Header.MinimumLengthBytes || EtherTypeOf(frame) != EtherType.Ipv4)
        {
            return null;
        }

        string name = _node.Ports[port].Name;
        if (port != SwarmNode.UplinkPort)
        {
            bool isTasks = _node.FindTask(MacAddress.Read(frame[EthernetHeader.SourceOffset..])) >= 0;
            return isTasks ? null : Of(name, AttachPoint.Overlay);
        }

        if (!Ipv4Header.TryParse(frame[EthernetBytes..], out Ipv4Header packet))
        {
            return null;
        }

        if (packet.Protocol == IpProtocol.Udp && frame.Length > EnvelopeBytes + EthernetBytes
            && BinaryPrimitives.ReadUInt16BigEndian(frame[UdpPortOffset..]) == _vxlanPort)
        {
            bool isUnheard = IsUnheard(MacAddress.Read(frame[(EnvelopeBytes + EthernetHeader.SourceOffset)..]));
            UnheardFrameCount += isUnheard && counts ? 1 : 0;
            return isUnheard ? null : Of($"{name}, VXLAN", AttachPoint.Underlay);
        }

        bool isPublished = packet.Payload.Length >= 4
            && _published.Contains((packet.Protocol, BinaryPrimitives.ReadUInt16BigEndian(packet.Payload)));
        HostFrameCount += isPublished || !counts ? 0 : 1;
        return isPublished ? Of($"{name}, published ports", AttachPoint.Overlay) : null;
    }

    // Swarm balances on the client's node: a network's load balancer is called from within, the ingress sandbox from the card too.
    private bool IsUnheard(MacAddress source) =>
        _node.Ports.FirstOrDefault(port => port.Kind == NodePortKind.Tap && port.Mac == source) is { Space: { } space }
            && _node.Ports.Where(port => port.Space == space)
                .All(port => port.Bridge!.Vni is not null && !_heard.Contains(port.Bridge));

    private FrameComparison Of(string name, AttachPoint attachPoint)
    {
        if (!_comparisons.TryGetValue(name, out FrameComparison? comparison))
        {
            comparison = new FrameComparison(attachPoint);
            _comparisons.Add(name, comparison);
        }

        return comparison;
    }

    private static EtherType EtherTypeOf(ReadOnlySpan<byte> frame) =>
        (EtherType)BinaryPrimitives.ReadUInt16BigEndian(frame[EthernetHeader.EtherTypeOffset..]);
}
