using System.Buffers.Binary;
using FastPathLb.Balancer;
using FastPathLb.Engine.Building;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Workload;

/// <summary>Connections of the workload, opened through the data path with SYN, SYN+ACK and ACK, and what each was translated to.</summary>
public sealed class PeerFlows
{
    /// <summary>2026-11-22, in nanoseconds since the Unix epoch.</summary>
    public const long StartNanoseconds = 1_795_305_600_000_000_000;

    /// <summary>Time between two frames: ten million a second.</summary>
    public const long FrameNanoseconds = 100;

    private readonly FrameBatch _batch = new();
    private readonly LoadBalancer _balancer;
    private readonly int[]? _flows;
    private readonly int _start;
    private readonly ushort[] _natPorts;
    private readonly byte[] _servers;

    /// <summary>Opens flows 0 to count - 1.</summary>
    public PeerFlows(BuiltLoadBalancer built, int count)
        : this(built.Balancer, count, null)
    {
        if (built.Table.Count != count)
        {
            throw new InvalidOperationException($"{built.Table.Count} connections in the table, not {count}");
        }
    }

    /// <summary>Opens some flows, which then are counted from 0 in their order.</summary>
    public PeerFlows(LoadBalancer balancer, int[] flows)
        : this(balancer, flows.Length, flows)
    {
    }

    private PeerFlows(LoadBalancer balancer, int count, int[]? flows)
    {
        _balancer = balancer;
        _flows = flows;
        _start = balancer.AttachPoint == AttachPoint.Overlay ? PeerFrames.EnvelopeBytes : 0;
        _natPorts = new ushort[count];
        _servers = new byte[count];
        Send(count, TcpFlags.Syn, isReply: false);
        Send(count, TcpFlags.Syn | TcpFlags.Ack, isReply: true);
        Send(count, TcpFlags.Ack, isReply: false);
    }

    /// <summary>Number of flows.</summary>
    public int Count => _natPorts.Length;

    /// <summary>Time of the last frame.</summary>
    public long Now { get; private set; } = StartNanoseconds;

    /// <summary>Writes the next segment of a flow from its client, envelope included whatever the attach point.</summary>
    public static void WriteForward(Span<byte> frame, int flow) =>
        PeerFrames.WriteForward(frame, (uint)flow, IpProtocol.Tcp, TcpFlags.Ack);

    /// <summary>Writes the next segment of a flow from its server.</summary>
    public void WriteReply(Span<byte> frame, int flow) => WriteReply(frame, flow, TcpFlags.Ack);

    /// <summary>The server a flow was given to.</summary>
    public int ServerOf(int flow) => _servers[flow];

    /// <summary>The port its client was translated to.</summary>
    public ushort NatPortOf(int flow) => _natPorts[flow];

    private uint NumberOf(int flow) => (uint)(_flows is null ? flow : _flows[flow]);

    private void WriteReply(Span<byte> frame, int flow, TcpFlags flags) =>
        PeerFrames.WriteReply(frame, _servers[flow], PeerFrames.ServicePort(NumberOf(flow)), _natPorts[flow], IpProtocol.Tcp, flags);

    private void Send(int count, TcpFlags flags, bool isReply)
    {
        Span<byte> frame = stackalloc byte[PeerFrames.FrameBytes];
        for (int first = 0; first < count; first += FrameBatch.CountMax)
        {
            int size = Math.Min(FrameBatch.CountMax, count - first);
            _batch.Clear();
            for (int flow = first; flow < first + size; flow++)
            {
                if (isReply)
                {
                    WriteReply(frame, flow, flags);
                }
                else
                {
                    PeerFrames.WriteForward(frame, NumberOf(flow), IpProtocol.Tcp, flags);
                }

                Now += FrameNanoseconds;
                _batch.TryAdd(frame[_start..], Now);
            }

            _balancer.Process(_batch);
            if (_batch.Emitted.Length != size)
            {
                DropReason[] reasons = [.. _batch.Frames.ToArray().Select(sent => sent.Reason).Where(reason => reason != DropReason.None)];
                throw new InvalidOperationException(
                    $"{_batch.Emitted.Length} of {size} frames came out from flow {first} on: {string.Join(' ', reasons)}");
            }

            for (int index = 0; index < size && flags == TcpFlags.Syn; index++)
            {
                ReadOnlySpan<byte> packet = _batch.EmittedBytes(index)[(PeerFrames.EnvelopeBytes + 14 - _start)..];
                _servers[first + index] = (byte)(BinaryPrimitives.ReadUInt32BigEndian(packet[16..]) - PeerFrames.ServerAddress(0));
                _natPorts[first + index] = BinaryPrimitives.ReadUInt16BigEndian(packet[20..]);
            }
        }
    }
}
