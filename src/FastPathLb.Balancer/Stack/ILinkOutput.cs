using FastPathLb.Pipeline;

namespace FastPathLb.Balancer.Stack;

/// <summary>What an interface's cable ends in: a bridge, a capture, a device.</summary>
internal interface ILinkOutput
{
    /// <summary>
    /// Takes an Ethernet frame that lies in a batch's arena with head room before it.
    /// </summary>
    /// <param name="batch">Batch whose arena holds the frame.</param>
    /// <param name="offset">First byte of the frame in the arena.</param>
    /// <param name="lengthBytes">Bytes that are there.</param>
    /// <param name="inputIndex">The input frame that caused it, or -1.</param>
    /// <param name="now">Time, nanoseconds since the Unix epoch.</param>
    /// <returns>Why the frame went no further, or none.</returns>
    DropReason Transmit(FrameBatch batch, int offset, int lengthBytes, int inputIndex, long now);
}
