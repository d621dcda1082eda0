using System.Runtime.CompilerServices;
using FastPathLb.Balancer;
using FastPathLb.Io.Captures;
using FastPathLb.Pipeline;

namespace FastPathLb.Engine.Replaying;

/// <summary>
/// A capture as a source of frames. Frames that the load balancer itself sent are passed over: a recording has both directions.
/// </summary>
public sealed class CaptureSource : IFrameSource
{
    /// <summary>
    /// Latest time of a frame, nanoseconds since the Unix epoch, in the year 2223: damaged captures have times at the end of all
    /// numbers, to which no timeout can be added.
    /// </summary>
    public const long TimeMax = 8_000_000_000_000_000_000;

    private readonly CaptureReader _reader;
    private readonly LoadBalancer _balancer;
    private readonly byte[] _converted = GC.AllocateUninitializedArray<byte>(4096);
    private readonly Queue<KeptFrame> _ready = [];
    private readonly List<(long Overtaker, KeptFrame Frame)> _overtaken = [];
    private bool _hasOvertakers;
    private bool _isAtEnd;

    /// <summary>Reads a capture for a load balancer.</summary>
    public CaptureSource(CaptureReader reader, LoadBalancer balancer)
    {
        _reader = reader;
        _balancer = balancer;
    }

    /// <summary>Frames from this time on wait for the next batch, nanoseconds since the Unix epoch.</summary>
    public long StopBefore { get; set; } = long.MaxValue;

    /// <summary>In which order frames reached the load balancer.</summary>
    public RecordingHints Hints
    {
        get;
        set
        {
            field = value;
            _hasOvertakers = value.Overtakers.Count > 0;
        }
    } = RecordingHints.None;

    /// <summary>Takes the load balancer's own frames: what the recording's load balancer sent.</summary>
    public OwnFrameHandler? OwnFrames { get; set; }

    /// <summary>Frames of the load balancer's own, passed over.</summary>
    public long OwnFrameCount { get; private set; }

    /// <summary>Frames whose link type holds nothing that can be served.</summary>
    public long UnservedFrameCount { get; private set; }

    /// <summary>Time of the latest frame read, own ones included.</summary>
    public long LatestTimestamp { get; private set; } = long.MinValue;

    /// <summary>Why the capture cannot be read on, where it is damaged in the middle; the frames before were good.</summary>
    public string? Damage { get; private set; }

    /// <inheritdoc/>
    public bool Receive(FrameBatch batch)
    {
        try
        {
            return Fill(batch);
        }
        catch (CaptureFormatException damage)
        {
            // The frames before were good.
            Damage = damage.Message;
            _isAtEnd = true;
            ReleaseOvertaken(long.MaxValue);
            return Fill(batch);
        }
    }

    private bool Fill(FrameBatch batch)
    {
        while (true)
        {
            if (batch.Count == FrameBatch.CountMax || (_ready.Count > 0 && !TryAddReady(batch)))
            {
                return true;
            }

            if (_isAtEnd || !_reader.TryRead(out CapturedFrame captured))
            {
                if (!_isAtEnd)
                {
                    _isAtEnd = true;
                    ReleaseOvertaken(long.MaxValue);
                    continue;
                }

                return batch.Count > 0;
            }

            Take(batch, captured);
        }
    }

    // Frames that wait come first: those that did not fit, and those that were overtaken.
    private bool TryAddReady(FrameBatch batch)
    {
        while (_ready.TryPeek(out KeptFrame? kept))
        {
            if (kept.Timestamp >= StopBefore || !batch.TryAdd(kept.Bytes, kept.Timestamp, kept.Number, kept.WireLength))
            {
                return false;
            }

            _ready.Dequeue();
        }

        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Take(FrameBatch batch, in CapturedFrame captured)
    {
        ReadOnlySpan<byte> frame = captured.Data;
        int wireLength = Math.Max(captured.OriginalLengthBytes, frame.Length);
        if (captured.LinkType != LinkType.Ethernet && !TryConvert(captured, ref frame, ref wireLength))
        {
            UnservedFrameCount++;
            return;
        }

        LatestTimestamp = Math.Max(LatestTimestamp, captured.TimestampNanoseconds);
        if (_balancer.IsOwn(frame))
        {
            OwnFrameCount++;
            OwnFrames?.Invoke(frame, captured.TimestampNanoseconds, captured.RecordNumber);
            return;
        }

        if (_hasOvertakers && Hints.Overtakers.TryGetValue(captured.RecordNumber, out long overtaker))
        {
            _overtaken.Add((overtaker, Keep(frame, captured, wireLength)));
            return;
        }

        long timestamp = Math.Min(captured.TimestampNanoseconds, TimeMax);
        if (timestamp >= StopBefore || !batch.TryAdd(frame, timestamp, captured.RecordNumber, wireLength))
        {
            _ready.Enqueue(Keep(frame, captured, wireLength));
        }

        if (_overtaken.Count > 0)
        {
            ReleaseOvertaken(captured.RecordNumber);
        }
    }

    private void ReleaseOvertaken(long number)
    {
        int index = 0;
        while (index < _overtaken.Count)
        {
            if (_overtaken[index].Overtaker <= number)
            {
                _ready.Enqueue(_overtaken[index].Frame);
                _overtaken.RemoveAt(index);
            }
            else
            {
                index++;
            }
        }
    }

    private static KeptFrame Keep(ReadOnlySpan<byte> frame, in CapturedFrame captured, int wireLength) =>
        new(frame.ToArray(), wireLength, Math.Min(captured.TimestampNanoseconds, TimeMax), captured.RecordNumber);

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

    private sealed record KeptFrame(byte[] Bytes, int WireLength, long Timestamp, long Number);
}
