using FastPathLb.Pipeline;

namespace FastPathLb.Engine.Replaying;

/// <summary>Keeps copies of what a worker's batch had to give away early, until it is their turn. Used by one thread at a time.</summary>
internal sealed class EmissionLog : IFrameSink
{
    private readonly List<EmittedFrame> _frames = [];
    private byte[] _bytes = [];
    private int _length;

    /// <summary>The frames; offsets are into the log's own bytes.</summary>
    public IReadOnlyList<EmittedFrame> Frames => _frames;

    /// <summary>Bytes of a frame.</summary>
    public ReadOnlySpan<byte> BytesOf(in EmittedFrame frame) => _bytes.AsSpan(frame.Offset, frame.LengthBytes);

    /// <inheritdoc/>
    public void Send(FrameBatch batch)
    {
        for (int index = 0; index < batch.Emitted.Length; index++)
        {
            EmittedFrame frame = batch.Emitted[index];
            if (_length + frame.LengthBytes > _bytes.Length)
            {
                Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + frame.LengthBytes));
            }

            batch.EmittedBytes(index).CopyTo(_bytes.AsSpan(_length));
            frame.Offset = _length;
            _length += frame.LengthBytes;
            _frames.Add(frame);
        }
    }

    /// <summary>Forgets all.</summary>
    public void Clear()
    {
        _frames.Clear();
        _length = 0;
    }
}
