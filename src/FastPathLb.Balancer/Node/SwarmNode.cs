using System.Buffers.Binary;
using FastPathLb.Balancer.Stack;
using FastPathLb.Balancer.Tunnel;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Node;

/// <summary>
/// A whole node of a swarm: its host, the ingress sandbox, each network's load balancer, and the bridges between them, behind the node's
/// own
/// card. Owned by one worker; configured between batches only.
/// </summary>
/// <remarks>
/// <code>
///  card ── VXLAN ──────────────► br0 of a network ──┬── load balancer
///    │                                              ├── ingress sandbox (on the ingress network) ──┐
///    │                                              └── tasks                                       │
///    └─── host: nat, filter ──► docker_gwbridge ──────────────────────────────────────────────────┘
/// </code>
/// Ports are where frames enter and leave: 0 is the card, then the tasks. With <see cref="IsTapped"/> each namespace's device is one too,
/// and shows what passes. VXLAN to and from the node does not pass the host's rules here.
/// </remarks>
public sealed class SwarmNode
{
    /// <summary>The card's port.</summary>
    public const int UplinkPort = 0;

    /// <summary>
    /// Where packets of the host's own programs come in; their Ethernet header is passed over. Not -1, which says that there is no such port.
    /// </summary>
    public const int HostPort = -2;

    /// <summary>Bytes before the inner frame in VXLAN: Ethernet, IPv4, UDP and VXLAN headers.</summary>
    public const int EnvelopeBytes = 50;

    private const int EthernetBytes = LinkInput.EthernetHeaderBytes;

    private readonly List<NetworkNamespace> _spaces = [];
    private readonly List<NodeBridge> _bridges = [];
    private readonly List<NodePort> _ports = [];
    private readonly List<TaskPort?> _tasks = [];
    private readonly List<NetworkNamespace> _taskSpaces = [];
    private readonly SortedDictionary<uint, long> _encrypted = [];
    private readonly NetworkNamespace _host;
    private readonly NetworkInterface _card;
    private readonly Uplink _uplink;
    private long _now = long.MinValue;

    /// <summary>A node of a host and its card alone.</summary>
    public SwarmNode(NetworkNamespace host, NetworkInterface card, Uplink uplink)
    {
        _host = host;
        _card = card;
        _uplink = uplink;
        _ports.Add(new NodePort(card.Name, NodePortKind.Uplink, card.Mac, null, null));
        _tasks.Add(null);
        foreach (NetworkInterface device in host.Interfaces)
        {
            host.Connect(device, device == card ? new CardLink() : new UnpluggedLink());
        }

        _spaces.Add(host);
    }

    /// <summary>Whether namespaces' devices show what passes them.</summary>
    public bool IsTapped { get; set; }

    /// <summary>Where frames enter and leave, by the number that their batch gives.</summary>
    public IReadOnlyList<NodePort> Ports => _ports;

    /// <summary>The bridges, in the order in which they were added.</summary>
    public IReadOnlyList<NodeBridge> Bridges => _bridges;

    /// <summary>Address of the node's end of its tunnels.</summary>
    public Ipv4Address TunnelAddress => new(_uplink.Address);

    /// <summary>UDP port of its tunnels.</summary>
    public ushort TunnelPort => _uplink.Port;

    /// <summary>The namespaces, the host first.</summary>
    public IReadOnlyList<NetworkNamespace> Spaces => _spaces;

    /// <summary>What was seen and done.</summary>
    public FrameCounters Counters { get; } = new();

    /// <summary>Encrypted packets between nodes, which nothing here can read: how many of each security parameters index.</summary>
    public IReadOnlyDictionary<uint, long> EncryptedPackets => _encrypted;

    /// <summary>Time of the latest frame or <see cref="Advance"/>, nanoseconds since the Unix epoch.</summary>
    public long Now => _now;

    internal Backlog Backlog { get; } = new();

    /// <summary>Adds an overlay network's bridge with its tunnel.</summary>
    /// <param name="name">The network's name.</param>
    /// <param name="vni">Its VXLAN identifier.</param>
    /// <param name="deviceMac">MAC of the VXLAN device.</param>
    /// <param name="learns">Whether the device learns where MACs are.</param>
    /// <param name="answersArp">Whether it answers ARP.</param>
    public NodeBridge AddOverlay(string name, uint vni, MacAddress deviceMac, bool learns, bool answersArp)
    {
        NodeBridge bridge = new(name);
        TunnelPort tunnel = new(bridge, vni, _uplink);
        tunnel.Network.DeviceMac = deviceMac;
        tunnel.Network.Learns = learns;
        tunnel.Network.AnswersArp = answersArp;
        bridge.Add(tunnel, null);
        _bridges.Add(bridge);
        return bridge;
    }

    /// <summary>Adds a bridge of the host: its own device is plugged in.</summary>
    public NodeBridge AddHostBridge(NetworkInterface device)
    {
        NodeBridge bridge = new(device.Name);
        _bridges.Add(bridge);
        Plug(bridge, _host, device, device.Name);
        return bridge;
    }

    /// <summary>Plugs a namespace's device into a bridge.</summary>
    /// <param name="bridge">The bridge.</param>
    /// <param name="space">The namespace.</param>
    /// <param name="device">The device.</param>
    /// <param name="name">Name of the port, for captures.</param>
    public void Plug(NodeBridge bridge, NetworkNamespace space, NetworkInterface device, string name)
    {
        if (!_spaces.Contains(space))
        {
            _spaces.Add(space);
            foreach (NetworkInterface other in space.Interfaces)
            {
                space.Connect(other, new UnpluggedLink());
            }
        }

        int port = AddPort(new NodePort(name, NodePortKind.Tap, device.Mac, bridge, space), null);
        bridge.Add(new DevicePort(this, bridge, space, device, port), device.Mac);
    }

    /// <summary>Plugs a task into a bridge.</summary>
    /// <param name="bridge">The bridge.</param>
    /// <param name="name">Name of the port, for captures.</param>
    /// <param name="mac">The task's MAC there.</param>
    /// <param name="address">The task's address there.</param>
    /// <param name="inside">The task's namespace with its rules and that one device; null where nothing is known of it.</param>
    public void PlugTask(NodeBridge bridge, string name, MacAddress mac, Ipv4Address address, NetworkNamespace? inside = null)
    {
        TaskPort task = new(bridge, _ports.Count, mac, address);
        if (inside is not null)
        {
            task.Space = new TaskSpace(this, task, inside);
            _taskSpaces.Add(inside);
        }

        AddPort(new NodePort(name, NodePortKind.Task, mac, bridge, null), task);
        bridge.Add(task, mac);
    }

    /// <summary>The port of a local task by its MAC, or -1.</summary>
    public int FindTask(MacAddress mac)
    {
        for (int index = 0; index < _ports.Count; index++)
        {
            if (_tasks[index] is not null && _ports[index].Mac == mac)
            {
                return index;
            }
        }

        return -1;
    }

    /// <summary>
    /// The port of the local task whose frame a captured one of the node's own tunnels carries, behind <see cref="EnvelopeBytes"/>; -1 for any
    /// other frame.
    /// </summary>
    public int FindTunnelledTask(ReadOnlySpan<byte> frame)
    {
        const int UdpPortOffset = EthernetBytes + Ipv4.HeaderLengthMinimum + 2;
        const int VniOffset = EnvelopeBytes - 4;
        if (frame.Length < EnvelopeBytes + EthernetBytes || !IsOwn(frame)
            || BinaryPrimitives.ReadUInt16BigEndian(frame[12..]) != (ushort)EtherType.Ipv4
            || (IpProtocol)frame[EthernetBytes + Ipv4.ProtocolOffset] != IpProtocol.Udp
            || BinaryPrimitives.ReadUInt16BigEndian(frame[UdpPortOffset..]) != _uplink.Port)
        {
            return -1;
        }

        uint vni = BinaryPrimitives.ReadUInt32BigEndian(frame[VniOffset..]) >> 8;
        MacAddress source = MacAddress.Read(frame[(EnvelopeBytes + MacAddress.LengthBytes)..]);
        for (int index = 0; index < _ports.Count; index++)
        {
            if (_tasks[index] is { } task && _ports[index].Mac == source && task.Bridge.Vni == vni)
            {
                return index;
            }
        }

        return -1;
    }

    /// <summary>
    /// Takes from a frame at the card which MAC an address on its link has: whoever sends or is sent to was answered by ARP before, which
    /// captures with a filter lack.
    /// </summary>
    public void LearnNeighbor(ReadOnlySpan<byte> frame)
    {
        if (frame.Length < EthernetBytes + Ipv4.HeaderLengthMinimum
            || BinaryPrimitives.ReadUInt16BigEndian(frame[12..]) != (ushort)EtherType.Ipv4)
        {
            return;
        }

        bool isOwn = IsOwn(frame);
        Ipv4Address other = Ipv4Address.Read(frame[(EthernetBytes + (isOwn ? Ipv4.DestinationOffset : Ipv4.SourceOffset))..]);
        MacAddress mac = MacAddress.Read(isOwn ? frame : frame[MacAddress.LengthBytes..]);
        if (_uplink.Link.Contains(other) && !_host.IsLocalAddress(other.Value) && !mac.IsMulticast && !mac.IsZero)
        {
            SetLinkNeighbor(other, mac);
        }
    }

    /// <summary>Says which MAC an address on the card's link has.</summary>
    public void SetLinkNeighbor(Ipv4Address address, MacAddress mac)
    {
        _host.Neighbors.Set(address.Value, mac);
        _uplink.Neighbors.Set(address.Value, mac);
    }

    /// <summary>Whether the node itself sent a frame that was captured at its card.</summary>
    public bool IsOwn(ReadOnlySpan<byte> frame) =>
        frame.Length >= EthernetBytes && MacAddress.Read(frame[MacAddress.LengthBytes..]) == _card.Mac;

    /// <summary>Lets time pass up to a moment. Time never goes back.</summary>
    public void Advance(long now, FrameBatch batch)
    {
        if (now <= _now)
        {
            return;
        }

        _now = now;
        foreach (NetworkNamespace space in _spaces)
        {
            space.Advance(now, batch);
        }

        foreach (NetworkNamespace space in _taskSpaces)
        {
            space.Advance(now, batch);
        }

        Drain(batch, -1);
    }

    /// <summary>Processes a batch in order of arrival, each frame at the port that it names.</summary>
    public void Process(FrameBatch batch)
    {
        for (int index = 0; index < batch.Frames.Length; index++)
        {
            batch.EnsureOutputRoom();
            Advance(batch.Frames[index].TimestampNanoseconds, batch);
            ref FrameDescriptor frame = ref batch.Frames[index];
            Outcome outcome = Receive(batch, index, ref frame);
            frame.Verdict = outcome.Verdict;
            frame.Reason = outcome.Reason;
            Drain(batch, index);
            Counters.Count(frame);
        }
    }

    internal void Tap(int port, FrameBatch batch, int offset, int lengthBytes, int inputIndex, long now)
    {
        if (IsTapped)
        {
            int copy = batch.RentOutput(lengthBytes);
            Span<byte> frame = batch.Slice(copy, lengthBytes);
            batch.Slice(offset, lengthBytes).CopyTo(frame);
            batch.Emit(copy, lengthBytes, now, inputIndex, port, LinkInput.WireLength(frame));
        }
    }

    private int AddPort(NodePort port, TaskPort? task)
    {
        _ports.Add(port);
        _tasks.Add(task);
        return _ports.Count - 1;
    }

    private Outcome Receive(FrameBatch batch, int index, ref FrameDescriptor frame)
    {
        if (frame.PortIndex == HostPort)
        {
            return frame.LengthBytes < EthernetBytes
                ? Outcome.Dropped(DropReason.FrameTooShort)
                : _host.Originate(
                    batch, frame.Offset + EthernetBytes, frame.LengthBytes - EthernetBytes, frame.WireLengthBytes - EthernetBytes, index,
                    frame.TimestampNanoseconds);
        }

        if ((uint)frame.PortIndex >= (uint)_ports.Count)
        {
            return Outcome.Dropped(DropReason.DeviceUnplugged);
        }

        if (frame.PortIndex == UplinkPort)
        {
            return ReceiveFromWire(batch, index, ref frame);
        }

        return _tasks[frame.PortIndex] is { } task
            ? task.Send(batch, frame, index)
            : Outcome.Dropped(DropReason.DeviceUnplugged);
    }

    private Outcome ReceiveFromWire(FrameBatch batch, int index, ref FrameDescriptor frame)
    {
        Span<byte> bytes = batch.Slice(frame.Offset, frame.LengthBytes);
        if (bytes.Length >= EthernetBytes + Ipv4.HeaderLengthMinimum
            && BinaryPrimitives.ReadUInt16BigEndian(bytes[12..]) == (ushort)EtherType.Ipv4)
        {
            Span<byte> packet = bytes[EthernetBytes..];
            IpProtocol protocol = (IpProtocol)packet[Ipv4.ProtocolOffset];
            int header = (packet[0] & 15) * 4;
            bool isForCard = BinaryPrimitives.ReadUInt32BigEndian(packet[Ipv4.DestinationOffset..]) == _uplink.Address;
            if (isForCard && protocol == IpProtocol.Esp)
            {
                CountEncrypted(packet, header);
                return Outcome.Dropped(DropReason.OuterEncrypted);
            }

            if (isForCard && protocol == IpProtocol.Udp && packet.Length >= header + 4
                && BinaryPrimitives.ReadUInt16BigEndian(packet[(header + 2)..]) == _uplink.Port)
            {
                return _uplink.Receive(
                    batch, frame.Offset, frame.LengthBytes, frame.WireLengthBytes, index, frame.TimestampNanoseconds, out frame.Connection);
            }

            if (!_host.Neighbors.Entries.ContainsKey(BinaryPrimitives.ReadUInt32BigEndian(packet[Ipv4.SourceOffset..])))
            {
                LearnNeighbor(bytes);
            }
        }

        return _host.Receive(
            _card, batch, frame.Offset, frame.LengthBytes, frame.WireLengthBytes, index, frame.TimestampNanoseconds, out frame.Connection);
    }

    private void CountEncrypted(ReadOnlySpan<byte> packet, int header)
    {
        if (packet.Length >= header + 4)
        {
            uint index = BinaryPrimitives.ReadUInt32BigEndian(packet[header..]);
            _encrypted[index] = _encrypted.GetValueOrDefault(index) + 1;
        }
    }

    /// <summary>Lets namespaces receive what waits. The last that handles a frame's own packet decides its verdict.</summary>
    private void Drain(FrameBatch batch, int index)
    {
        while (Backlog.TryTake(out Backlog.Entry entry))
        {
            bool isPacket = BinaryPrimitives.ReadUInt16BigEndian(batch.Slice(entry.Offset, EthernetBytes)[12..]) == (ushort)EtherType.Ipv4;
            Outcome outcome = entry.Space.Receive(
                entry.Device, batch, entry.Offset, entry.LengthBytes, LinkInput.WireLength(batch.Slice(entry.Offset, entry.LengthBytes)),
                entry.InputIndex, entry.Now, out int connection);
            if (isPacket && index >= 0 && entry.InputIndex == index && batch.Frames[index].Verdict == Verdict.Forwarded)
            {
                ref FrameDescriptor frame = ref batch.Frames[index];
                frame.Verdict = outcome.Verdict;
                frame.Reason = outcome.Reason;
                frame.Connection = connection;
            }
        }
    }

    /// <summary>The wire at the node's card.</summary>
    private sealed class CardLink : ILinkOutput
    {
        public DropReason Transmit(FrameBatch batch, int offset, int lengthBytes, int inputIndex, long now)
        {
            batch.Emit(offset, lengthBytes, now, inputIndex, UplinkPort, LinkInput.WireLength(batch.Slice(offset, lengthBytes)));
            return DropReason.None;
        }
    }

    /// <summary>A device that leads nowhere here.</summary>
    private sealed class UnpluggedLink : ILinkOutput
    {
        public DropReason Transmit(FrameBatch batch, int offset, int lengthBytes, int inputIndex, long now) => DropReason.DeviceUnplugged;
    }
}
