using FastPathLb.Balancer.Node;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Engine.Following;

/// <summary>
/// Nodes joined by their underlay: what one's card sends to another goes in at the other's. Nothing is added to what the nodes do
/// themselves, so that a frame can be followed from its sender to its receiver. Owned by one worker.
/// </summary>
public sealed class SwarmWire
{
    /// <summary>Most frames that one causes: nodes that are set up wrongly could hand one to and fro for ever.</summary>
    public const int FrameCountMax = 256;

    private readonly FrameBatch _batch = new();
    private readonly Queue<(int Node, int Port, byte[] Frame)> _crossing = new();
    private readonly IReadOnlyList<SwarmNode> _nodes;

    /// <summary>Joins nodes; each knows the others' cards from then on, as ARP would tell them.</summary>
    public SwarmWire(IReadOnlyList<SwarmNode> nodes)
    {
        _nodes = nodes;
        foreach (SwarmNode node in nodes)
        {
            node.IsTapped = true;
            foreach (SwarmNode other in nodes.Where(other => other != node))
            {
                node.SetLinkNeighbor(other.TunnelAddress, other.Ports[SwarmNode.UplinkPort].Mac);
            }
        }
    }

    /// <summary>
    /// Where a frame that was captured on the wire came from, so that its cause can be put in: at a node's card if it is from outside, at a
    /// task's port if a node's tunnel carried it for that task.
    /// </summary>
    /// <param name="frame">The frame.</param>
    /// <param name="node">The node that it goes in at.</param>
    /// <param name="port">The port there.</param>
    /// <param name="skipBytes">Bytes of the frame before what goes in: of the tunnel's headers.</param>
    /// <returns><see langword="false"/> where it is the work of a node, or for none.</returns>
    public bool TryFindEntry(ReadOnlySpan<byte> frame, out int node, out int port, out int skipBytes)
    {
        (node, port, skipBytes) = (FindSender(frame), SwarmNode.UplinkPort, 0);
        if (node >= 0)
        {
            skipBytes = SwarmNode.EnvelopeBytes;
            port = _nodes[node].FindTunnelledTask(frame);
            return port > 0;
        }

        node = frame.Length < EthernetHeader.MinimumLengthBytes ? -1 : FindReceiver(frame);
        return node >= 0;
    }

    /// <summary>The node whose card sent a frame that was captured on the wire, or -1.</summary>
    public int FindSender(ReadOnlySpan<byte> frame)
    {
        for (int node = 0; node < _nodes.Count; node++)
        {
            if (_nodes[node].IsOwn(frame))
            {
                return node;
            }
        }

        return -1;
    }

    /// <summary>Puts a frame in, and follows it and all that it causes until nothing moves any more.</summary>
    /// <param name="node">The node, by its place.</param>
    /// <param name="port">The port there.</param>
    /// <param name="frame">The frame.</param>
    /// <param name="timestamp">When, nanoseconds since the Unix epoch.</param>
    /// <param name="number">Number in its capture, from 1.</param>
    public IReadOnlyList<JourneyStep> Send(int node, int port, ReadOnlySpan<byte> frame, long timestamp, long number)
    {
        List<JourneyStep> steps = [];
        _crossing.Enqueue((node, port, frame.ToArray()));
        for (int count = 0; count < FrameCountMax && _crossing.TryDequeue(out (int Node, int Port, byte[] Frame) next); count++)
        {
            Process(next.Node, next.Port, next.Frame, timestamp, number, steps);
        }

        _crossing.Clear();
        return steps;
    }

    private void Process(int node, int port, byte[] frame, long timestamp, long number, List<JourneyStep> steps)
    {
        SwarmNode at = _nodes[node];
        _batch.Clear();
        _batch.TryAdd(frame, timestamp, number, portIndex: port);
        at.Process(_batch);
        FrameDescriptor result = _batch.Frames[0];
        steps.Add(new JourneyStep(node, at.Ports[port], JourneyStepKind.Enters, frame)
        {
            Verdict = result.Verdict,
            Reason = result.Reason,
        });
        for (int index = 0; index < _batch.Emitted.Length; index++)
        {
            NodePort left = at.Ports[_batch.Emitted[index].PortIndex];
            byte[] emitted = _batch.EmittedBytes(index).ToArray();
            steps.Add(new JourneyStep(
                node, left, left.Kind == NodePortKind.Tap ? JourneyStepKind.Passes : JourneyStepKind.Leaves, emitted));
            if (left.Kind == NodePortKind.Uplink)
            {
                Cross(node, emitted);
            }
        }
    }

    private void Cross(int from, byte[] frame)
    {
        if (MacAddress.Read(frame).IsMulticast)
        {
            for (int node = 0; node < _nodes.Count; node++)
            {
                if (node != from)
                {
                    _crossing.Enqueue((node, SwarmNode.UplinkPort, [.. frame]));
                }
            }
        }
        else if (FindReceiver(frame) is >= 0 and int to && to != from)
        {
            // A router between the nodes puts the last hop's MAC there.
            byte[] arrived = [.. frame];
            _nodes[to].Ports[SwarmNode.UplinkPort].Mac.WriteTo(arrived);
            _crossing.Enqueue((to, SwarmNode.UplinkPort, arrived));
        }
    }

    private int FindReceiver(ReadOnlySpan<byte> frame)
    {
        MacAddress mac = MacAddress.Read(frame);
        Ipv4Address? address = !EthernetHeader.TryParse(frame, out EthernetHeader ethernet) ? null
            : ethernet.EtherType == EtherType.Arp && ArpHeader.TryParse(ethernet.Payload, out ArpHeader arp) ? arp.TargetAddress
            : ethernet.EtherType == EtherType.Ipv4 && Ipv4Header.TryParse(ethernet.Payload, out Ipv4Header packet) ? packet.Destination
            : null;
        for (int node = 0; node < _nodes.Count; node++)
        {
            if (_nodes[node].TunnelAddress == address || _nodes[node].Ports[SwarmNode.UplinkPort].Mac == mac)
            {
                return node;
            }
        }

        return -1;
    }
}
