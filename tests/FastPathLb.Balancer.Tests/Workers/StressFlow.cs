using System.Buffers.Binary;
using FastPathLb.Pipeline;
using FastPathLb.TestKit;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Tests.Workers;

/// <summary>
/// A client's flow: it says what its next frame is, and checks what became of it. One thread has it at a time.
/// </summary>
internal sealed class StressFlow
{
    private const int EthernetBytes = 14;
    private const int SourcePortOffset = EthernetBytes + 20;

    private readonly bool _isTcp;
    private readonly string _client;
    private readonly ushort _port;
    private readonly int _length;
    private uint _server;
    private ushort _translatedPort;
    private int _step;

    public StressFlow(bool isTcp, string client, ushort port, int length)
    {
        (_isTcp, _client, _port, _length) = (isTcp, client, port, length);
    }

    /// <summary>Time of its last frame, nanoseconds since the Unix epoch.</summary>
    public long LastSeen { get; set; }

    /// <summary>Whether its first frame was dropped, for its port was taken meanwhile.</summary>
    public bool HasClashed { get; private set; }

    /// <summary>Whether it has said all it wanted.</summary>
    public bool IsOver => _step >= _length;

    /// <summary>What its server answers to, as nobody else's may be: null before it is open.</summary>
    public (bool IsTcp, uint Server, ushort Port)? Reply => _step == 0 ? null : (_isTcp, _server, _translatedPort);

    /// <summary>Whether the next frame is the client's.</summary>
    private bool IsRequest => _isTcp ? _step is 0 or 2 || (_step > 2 && _step % 2 == 1) : _step % 2 == 0;

    /// <summary>The next frame.</summary>
    public byte[] Next()
    {
        string vip = SmallSwarm.Vip + (_isTcp ? ":80" : ":53");
        Endpoint client = new(Ipv4Address.Parse(_client), _port);
        Endpoint server = new(new Ipv4Address(_server), (ushort)(_isTcp ? 80 : 53));
        Endpoint translated = new(Ipv4Address.Parse(SmallSwarm.Lb), _translatedPort);
        PacketBuilder packet = (_isTcp, IsRequest, _step) switch
        {
            (true, _, 0) => PacketBuilder.Tcp(client, vip, TcpFlags.Syn, 1000),
            (true, _, 1) => PacketBuilder.Tcp(server, translated, TcpFlags.Syn | TcpFlags.Ack, 5000, 1001),
            (true, true, _) => PacketBuilder.Tcp(client, vip, TcpFlags.Ack, 1001, 5001),
            (true, false, _) => PacketBuilder.Tcp(server, translated, TcpFlags.Ack, 5001, 1001),
            (false, true, _) => PacketBuilder.Udp(client, vip, new byte[8]),
            _ => PacketBuilder.Udp(server, translated, new byte[8]),
        };
        return SmallSwarm.ToBalancer(packet).Build();
    }

    /// <summary>Takes what became of the frame.</summary>
    /// <returns>What is wrong with it, or null.</returns>
    public string? Take(in FrameDescriptor frame, IReadOnlyList<byte[]> sent)
    {
        if (_step == 0 && frame is { Verdict: Verdict.Dropped, Reason: DropReason.ConntrackClash } && sent.Count == 0)
        {
            // Opened by a worker that it is not steered to, at the moment at which its own opened another client's: it comes again.
            HasClashed = true;
            return null;
        }

        string what = $"{(_isTcp ? "TCP" : "UDP")} {_client}:{_port}, frame {_step}";
        if (frame.Verdict != Verdict.Forwarded || sent.Count != 1)
        {
            return $"{what}: {frame.Verdict} {frame.Reason}, {sent.Count} frames sent";
        }

        ReadOnlySpan<byte> packet = sent[0];
        Endpoint source = new(Ipv4Address.Read(packet[26..]), BinaryPrimitives.ReadUInt16BigEndian(packet[SourcePortOffset..]));
        Endpoint destination = new(Ipv4Address.Read(packet[30..]), BinaryPrimitives.ReadUInt16BigEndian(packet[(SourcePortOffset + 2)..]));
        if (IsRequest)
        {
            if (_step == 0)
            {
                (_server, _translatedPort) = (destination.Address.Value, source.Port);
            }

            if (source != new Endpoint(Ipv4Address.Parse(SmallSwarm.Lb), _translatedPort) || destination.Address.Value != _server)
            {
                return $"{what} goes from {source} to {destination}, not from port {_translatedPort} to {new Ipv4Address(_server)}";
            }
        }
        else if (destination != new Endpoint(Ipv4Address.Parse(_client), _port)
            || source != (Endpoint)(SmallSwarm.Vip + (_isTcp ? ":80" : ":53")))
        {
            return $"{what} comes from {source} to {destination}";
        }

        _step++;
        return null;
    }
}
