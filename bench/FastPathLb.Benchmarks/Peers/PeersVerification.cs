using System.Buffers.Binary;
using FastPathLb.Engine.Building;
using FastPathLb.Pipeline;
using FastPathLb.Wire;
using FastPathLb.Workload;

namespace FastPathLb.Benchmarks.Peers;

/// <summary>
/// Before anything is timed: connections of TCP and UDP, both ways, every address, port, MAC, TTL and checksum, round robin and
/// affinity, as the peers check theirs.
/// </summary>
internal sealed class PeersVerification
{
    private const int ConnectionCount = 4000;
    private const int InnerIpv4 = PeerFrames.EnvelopeBytes + 14;
    private const int Ports = InnerIpv4 + 20;

    private readonly BuiltLoadBalancer _built;
    private readonly bool _hasOuterChecksum;
    private readonly FrameBatch _batch = new();
    private readonly byte[] _sent;
    private readonly HashSet<uint> _natPorts = [];
    private long _now = PeerFlows.StartNanoseconds;
    private string _step = "";

    private PeersVerification(BuiltLoadBalancer built, bool hasOuterChecksum, int innerBytes)
    {
        _sent = new byte[PeerFrames.EnvelopeBytes + innerBytes];
        _built = built;
        _hasOuterChecksum = hasOuterChecksum;
    }

    /// <summary>Checks; throws on the first wrong byte.</summary>
    public static void Run(bool hasOuterChecksum, int innerBytes)
    {
        using BuiltLoadBalancer built = PeerNode.Build(ConnectionCount, hasOuterChecksum: hasOuterChecksum);
        new PeersVerification(built, hasOuterChecksum, innerBytes).RunAll();
    }

    private void RunAll()
    {
        int[] picked = new int[2];
        int last = -1;
        for (int number = 0; number < ConnectionCount; number++)
        {
            IpProtocol protocol = number % 2 == 0 ? IpProtocol.Udp : IpProtocol.Tcp;
            uint flow = (uint)(number / 2 * 523) & (PeerFrames.FlowCountMax - 1);

            _step = $"{protocol} flow {flow}: first frame";
            PeerFrames.WriteForward(_sent, flow, protocol, TcpFlags.Syn);
            ReadOnlySpan<byte> first = Send();
            int server = (int)(ReadAddress(first, 16) - PeerFrames.ServerAddress(0));
            Check(server is 0 or 1 && server != last, "round robin");
            last = server;
            picked[server]++;
            ushort natPort = ReadPort(first, 0);
            Check(natPort >= 1024, "source port");
            Check(_natPorts.Add(natPort | ((uint)server << 16) | (PeerFrames.ServicePort(flow) - 8000u << 17)
                | (protocol == IpProtocol.Tcp ? 1u << 31 : 0)), "source port used once");
            CheckForward(first, flow, server, natPort);

            _step = $"{protocol} flow {flow}: answer";
            PeerFrames.WriteReply(_sent, server, PeerFrames.ServicePort(flow), natPort, protocol, TcpFlags.Syn | TcpFlags.Ack);
            CheckReply(Send(), flow);

            _step = $"{protocol} flow {flow}: second frame";
            PeerFrames.WriteForward(_sent, flow, protocol, TcpFlags.Ack);
            CheckForward(Send(), flow, server, natPort);

            _step = $"{protocol} flow {flow}: second answer";
            PeerFrames.WriteReply(_sent, server, PeerFrames.ServicePort(flow), natPort, protocol, TcpFlags.Ack);
            CheckReply(Send(), flow);
        }

        Check(picked[0] == picked[1], "even split");
    }

    private ReadOnlySpan<byte> Send()
    {
        _batch.Clear();
        _now += 1_000_000;
        Check(_batch.TryAdd(_sent, _now), "batch takes the frame");
        _built.Balancer.Process(_batch);
        Check(_batch.Emitted.Length == 1, $"one frame comes out ({_batch.Frames[0].Verdict}, {_batch.Frames[0].Reason})");
        return _batch.EmittedBytes(0);
    }

    private void CheckForward(ReadOnlySpan<byte> frame, uint flow, int server, ushort natPort)
    {
        CheckCommon(frame);
        Check(ReadAddress(frame, 12) == PeerFrames.BalancerAddress, "SNAT address");
        Check(ReadAddress(frame, 16) == PeerFrames.ServerAddress(server), "DNAT address, the same each time");
        Check(ReadPort(frame, 0) == natPort && ReadPort(frame, 2) == PeerFrames.ServicePort(flow), "ports");
        Check(BinaryPrimitives.ReadUInt32BigEndian(frame[30..]) == PeerFrames.ServerNode(server), "VTEP of the server");
        Check(frame[..6].SequenceEqual(PeerFrames.ServerNodeMac(server)), "MAC of the server's node");
        Check(frame.Slice(PeerFrames.EnvelopeBytes, 6).SequenceEqual(PeerFrames.ServerMac(server)), "MAC of the server");
    }

    private void CheckReply(ReadOnlySpan<byte> frame, uint flow)
    {
        CheckCommon(frame);
        Check(ReadAddress(frame, 12) == PeerFrames.VirtualAddress, "source is the VIP again");
        Check(ReadAddress(frame, 16) == PeerFrames.ClientAddress(flow), "destination is the client again");
        Check(ReadPort(frame, 0) == PeerFrames.ServicePort(flow) && ReadPort(frame, 2) == PeerFrames.ClientPort(flow), "ports");
        Check(BinaryPrimitives.ReadUInt32BigEndian(frame[30..]) == PeerFrames.ClientNode, "VTEP of the client");
        Check(frame[..6].SequenceEqual(PeerFrames.ClientNodeMac), "MAC of the client's node");
        Check(frame.Slice(PeerFrames.EnvelopeBytes, 6).SequenceEqual(PeerFrames.ClientMac), "MAC of the client");
    }

    /// <summary>What is the same both ways; everything behind the ports but the checksum comes out as it went in.</summary>
    private void CheckCommon(ReadOnlySpan<byte> frame)
    {
        Check(frame.Length == _sent.Length, "length");
        Check(PeerFrames.FindBadChecksum(frame) is null, PeerFrames.FindBadChecksum(frame) ?? "checksums");
        Check(BinaryPrimitives.ReadUInt16BigEndian(frame[40..]) != 0 == _hasOuterChecksum, "outer UDP checksum");
        Check(frame.Slice(6, 6).SequenceEqual(PeerFrames.BalancerNodeMac), "outer source MAC");
        Check(frame.Slice(PeerFrames.EnvelopeBytes + 6, 6).SequenceEqual(PeerFrames.BalancerMac), "inner source MAC");
        Check(BinaryPrimitives.ReadUInt32BigEndian(frame[26..]) == PeerFrames.BalancerNode, "outer source");
        Check(frame[22] == 64 && frame[InnerIpv4 + 8] == 63, "TTLs");
        Check(BinaryPrimitives.ReadUInt16BigEndian(frame[36..]) == VxlanHeader.UdpPort, "VXLAN port");
        Check(frame.Slice(42, 8).SequenceEqual(_sent.AsSpan(42, 8)), "VXLAN header");
        int checksum = Ports + (frame[InnerIpv4 + 9] == (byte)IpProtocol.Tcp ? 16 : 6);
        Check(frame[(Ports + 4)..checksum].SequenceEqual(_sent.AsSpan((Ports + 4)..checksum)), "transport header");
        Check(frame[(checksum + 2)..].SequenceEqual(_sent.AsSpan(checksum + 2)), "payload");
    }

    private static uint ReadAddress(ReadOnlySpan<byte> frame, int offset) =>
        BinaryPrimitives.ReadUInt32BigEndian(frame[(InnerIpv4 + offset)..]);

    private static ushort ReadPort(ReadOnlySpan<byte> frame, int offset) => BinaryPrimitives.ReadUInt16BigEndian(frame[(Ports + offset)..]);

    private void Check(bool isRight, string what)
    {
        if (!isRight)
        {
            throw new InvalidOperationException($"verification failed: {_step}: {what}");
        }
    }
}
