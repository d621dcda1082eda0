using System.Buffers.Binary;
using FastPathLb.Wire;

namespace FastPathLb.Conntrack.Tests;

/// <summary>A TCP connection as conntrack sees it, driven segment by segment. Times are in seconds from the beginning.</summary>
internal sealed class TrackedFlow
{
    public const FlowDirection ToServer = FlowDirection.Original;
    public const FlowDirection ToClient = FlowDirection.Reply;

    /// <summary>Where the client's sequence numbers begin.</summary>
    public const uint Client = 10_000_000;

    /// <summary>Where the server's sequence numbers begin.</summary>
    public const uint Server = 50_000_000;

    private const long Second = 1_000_000_000;

    /// <summary>Window scale of 7, SACK permitted, as Linux sends them in a SYN.</summary>
    public static readonly byte[] SynOptions = [2, 4, 0x05, 0xB4, 4, 2, 1, 1, 1, 3, 3, 7];

    /// <summary>SACK permitted, no window scale.</summary>
    public static readonly byte[] SackOptions = [2, 4, 0x05, 0xB4, 4, 2, 1, 1];

    private Connection _connection;
    private bool _isBegun;

    public ConntrackTimeouts Timeouts { get; } = new();

    public long Now { get; set; } = 1_700_000_000 * Second;

    public ref Connection Connection => ref _connection;

    public ConntrackTcpState State => _connection.TrackState;

    /// <summary>Seconds until the entry expires.</summary>
    public double Left => (_connection.TrackExpires - Now) / (double)Second;

    public static byte[] Sack(params (uint Left, uint Right)[] blocks)
    {
        byte[] options = new byte[4 + (blocks.Length * 8)];
        options[0] = 1;
        options[1] = 1;
        options[2] = 5;
        options[3] = (byte)(2 + (blocks.Length * 8));
        for (int index = 0; index < blocks.Length; index++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(options.AsSpan(4 + (index * 8)), blocks[index].Left);
            BinaryPrimitives.WriteUInt32BigEndian(options.AsSpan(8 + (index * 8)), blocks[index].Right);
        }

        return options;
    }

    /// <summary>A flow after SYN, SYN+ACK, ACK, with window scale 7 and SACK unless told otherwise.</summary>
    public static TrackedFlow Established(byte[]? clientOptions = null, byte[]? serverOptions = null, ushort window = 64240)
    {
        TrackedFlow flow = new();
        Assert.Equal(TrackVerdict.Accept, flow.Send(ToServer, TcpFlags.Syn, Client, 0, options: clientOptions ?? SynOptions, window: window));
        Assert.Equal(
            TrackVerdict.Accept,
            flow.Send(ToClient, TcpFlags.Syn | TcpFlags.Ack, Server, Client + 1, options: serverOptions ?? SynOptions, window: window));
        Assert.Equal(TrackVerdict.Accept, flow.Send(ToServer, TcpFlags.Ack, Client + 1, Server + 1, window: 502));
        Assert.Equal(ConntrackTcpState.Established, flow.State);
        return flow;
    }

    /// <summary>One segment; the first one begins the connection. A reply sets what conntrack's core sets after it.</summary>
    public TrackVerdict Send(
        FlowDirection direction, TcpFlags flags, uint sequence, uint acknowledgement, int length = 0, ushort window = 502,
        byte[]? options = null)
    {
        options ??= [];
        byte[] bytes = new byte[20 + options.Length + length];
        new TcpFields
        {
            SourcePort = 40000,
            DestinationPort = 80,
            SequenceNumber = sequence,
            AcknowledgmentNumber = acknowledgement,
            Flags = flags,
            Window = window,
            Options = options,
        }.WriteTo(bytes);
        TcpSegment segment = new(bytes, bytes.Length);
        if (!TcpTracker.IsWellFormed(bytes, bytes.Length))
        {
            return TrackVerdict.Invalid;
        }

        if (!_isBegun && !TcpTracker.TryBegin(ref _connection, segment, Timeouts))
        {
            return TrackVerdict.Invalid;
        }

        _isBegun = true;
        TrackVerdict verdict = TcpTracker.Step(ref _connection, direction, segment, Now, Timeouts);
        if (direction == ToClient && verdict == TrackVerdict.Accept)
        {
            _connection.Flags |= ConnectionFlags.SeenReply;
        }

        return verdict;
    }

    /// <summary>Says that the connection is begun, for tests that set its state by hand.</summary>
    public void Begin() => _isBegun = true;

    public void Wait(double seconds) => Now += (long)(seconds * Second);
}
