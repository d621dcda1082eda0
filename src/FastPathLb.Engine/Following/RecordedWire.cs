using System.Buffers.Binary;
using FastPathLb.Balancer;
using FastPathLb.Engine.Verifying;
using FastPathLb.Wire;

namespace FastPathLb.Engine.Following;

/// <summary>What nodes sent by their cards in a recording: each frame that is emitted takes the one that is the same.</summary>
public sealed class RecordedWire
{
    private const int EnvelopeBytes = 50;
    private const int UdpPortOffset = EthernetHeader.MinimumLengthBytes + Ipv4Header.MinimumLengthBytes + 2;

    private readonly Dictionary<string, Queue<long>> _numbers = new(StringComparer.Ordinal);
    private readonly ushort _tunnelPort;

    /// <summary>Makes one without frames.</summary>
    /// <param name="tunnelPort">UDP port of the nodes' tunnels.</param>
    public RecordedWire(ushort tunnelPort) => _tunnelPort = tunnelPort;

    /// <summary>Frames that are recorded.</summary>
    public int Count { get; private set; }

    /// <summary>Frames that were emitted just so.</summary>
    public int TakenCount { get; private set; }

    /// <summary>Adds a recorded frame.</summary>
    public void Add(ReadOnlySpan<byte> frame, long number)
    {
        string key = KeyOf(frame);
        if (!_numbers.TryGetValue(key, out Queue<long>? numbers))
        {
            _numbers.Add(key, numbers = new Queue<long>());
        }

        numbers.Enqueue(number);
        Count++;
    }

    /// <summary>The number of the recorded frame that is the same but for what a kernel draws by chance; null where there is none.</summary>
    public long? Take(ReadOnlySpan<byte> frame)
    {
        if (!_numbers.TryGetValue(KeyOf(frame), out Queue<long>? numbers) || !numbers.TryDequeue(out long number))
        {
            return null;
        }

        TakenCount++;
        return number;
    }

    private string KeyOf(ReadOnlySpan<byte> frame)
    {
        bool isTunnelled = frame.Length >= EnvelopeBytes
            && (EtherType)BinaryPrimitives.ReadUInt16BigEndian(frame[EthernetHeader.EtherTypeOffset..]) == EtherType.Ipv4
            && BinaryPrimitives.ReadUInt16BigEndian(frame[UdpPortOffset..]) == _tunnelPort;
        return Convert.ToHexString(
            FrameComparison.Normalise([.. frame], isTunnelled ? AttachPoint.Underlay : AttachPoint.Overlay));
    }
}
