using FastPathLb.Engine.Replaying;
using FastPathLb.Engine.Verifying;
using FastPathLb.Pipeline;

namespace FastPathLb.Cli.Running;

/// <summary>Gives what is emitted to a comparison, with the number of the frame that caused it, and to a capture.</summary>
internal sealed class ComparingSink(CaptureSink capture, FrameComparison comparison) : IFrameSink
{
    /// <inheritdoc/>
    public void Send(FrameBatch batch)
    {
        ReadOnlySpan<EmittedFrame> emitted = batch.Emitted;
        for (int index = 0; index < emitted.Length; index++)
        {
            int cause = emitted[index].InputIndex;
            long number = (uint)cause < (uint)batch.Count ? batch.Frames[cause].Number : 0;
            comparison.AddActual(batch.EmittedBytes(index), emitted[index].TimestampNanoseconds, number);
        }

        capture.Send(batch);
    }
}
