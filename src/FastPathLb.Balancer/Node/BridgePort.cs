using FastPathLb.Pipeline;

namespace FastPathLb.Balancer.Node;

/// <summary>What is plugged into a bridge.</summary>
internal abstract class BridgePort
{
    /// <summary>Takes a frame from the bridge.</summary>
    /// <returns>Why it went no further, or none.</returns>
    public abstract DropReason Deliver(FrameBatch batch, int offset, int lengthBytes, int inputIndex, long now);
}
