using FastPathLb.Balancer;
using FastPathLb.Io.Captures;
using FastPathLb.Pipeline;

namespace FastPathLb.Engine.Replaying;

/// <summary>
/// A capture as a source of frames. Frames that the load balancer itself sent are passed over: a recording has both directions.
/// </summary>
public sealed class CaptureSource : IFrameSource
{
    private readonly CaptureReader _reader;
    private readonly LoadBalancer _balancer;
    private readonly byte[] _pending = GC.AllocateUninitializedArray<byte>(FrameBatch.FrameLengthMax);
    private readonly byte[] _converted = GC.AllocateUninitializedArray<byte>(4096);
    private int _pendingLength = -1;
    private int _pendingWireLength;
    private long _pendingTimestamp;
    private long _pendingNumber;

    /// <summary>Reads a capture for a load balancer.</summary>
    public CaptureSource(CaptureReader reader, LoadBalancer balancer)
    {
        _reader = reader;
        _balancer = balancer;
    }

    /// <summary>Frames from this time on wait for the next batch, nanoseconds since the Unix epoch.</summary>
    public long StopBefore { get; set; } = long.MaxValue;

    /// <summary>Takes the load balancer's own frames: what the recording's load balancer sent.</summary>
    public OwnFrameHandler? OwnFrames { get; set; }

    /// <summary>Frames of the load balancer's own, passed over.</summary>
    public long OwnFrameCount { get; private set; }

    /// <summary>Frames whose link type holds nothing that can be served.</summary>
    public long UnservedFrameCount { get; private set; }

    /// <summary>Time of the latest frame read, own ones included.</summary>
    public long LatestTimestamp { get; private set; } = long.MinValue;

    /// <inheritdoc/>
    public bool Receive(FrameBatch batch)
    {
        if (_pendingLength >= 0)
        {
            if (_pendingTimestamp >= StopBefore)
            {
                return true;
            }

            batch.TryAdd(_pending.AsSpan(0, _pendingLength), _pendingTimestamp, _pendingNumber, _pendingWireLength);
            _pendingLength = -1;
        }

        while (batch.Count < FrameBatch.CountMax)
        {
            if (!_reader.TryRead(out CapturedFrame captured))
            {
                return batch.Count > 0;
            }

            ReadOnlySpan<byte> frame = captured.Data;
            int wireLength = Math.Max(captured.OriginalLengthBytes, frame.Length);
            if (captured.LinkType != LinkType.Ethernet && !TryConvert(captured, ref frame, ref wireLength))
            {
                UnservedFrameCount++;
                continue;
            }

            LatestTimestamp = Math.Max(LatestTimestamp, captured.TimestampNanoseconds);
            if (_balancer.IsOwn(frame))
            {
                OwnFrameCount++;
                OwnFrames?.Invoke(frame, captured.TimestampNanoseconds, captured.RecordNumber);
                continue;
            }

            if (captured.TimestampNanoseconds >= StopBefore
                || !batch.TryAdd(frame, captured.TimestampNanoseconds, captured.RecordNumber, wireLength))
            {
                Keep(frame, captured.TimestampNanoseconds, captured.RecordNumber, wireLength);
                return true;
            }
        }

        return true;
    }

    private void Keep(ReadOnlySpan<byte> frame, long timestamp, long number, int wireLength)
    {
        int length = Math.Min(frame.Length, _pending.Length);
        frame[..length].CopyTo(_pending);
        _pendingLength = length;
        _pendingTimestamp = timestamp;
        _pendingNumber = number;
        _pendingWireLength = wireLength;
    }

    private bool TryConvert(in CapturedFrame captured, ref ReadOnlySpan<byte> frame, ref int wireLength)
    {
        byte[] room = captured.Data.Length + LinkLayer.EthernetGrowthBytesMax <= _converted.Length
            ? _converted
            : GC.AllocateUninitializedArray<byte>(captured.Data.Length + LinkLayer.EthernetGrowthBytesMax);
        int length = LinkLayer.ToEthernet(captured.LinkType, captured.Data, room);
        if (length <= 0)
        {
            return false;
        }

        wireLength += length - captured.Data.Length;
        _balancer.Address(room.AsSpan(0, length));
        frame = room.AsSpan(0, length);
        return true;
    }
}
