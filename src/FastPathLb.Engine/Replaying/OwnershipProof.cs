namespace FastPathLb.Engine.Replaying;

/// <summary>A frame of the load balancer's own that shows whether an address was its own.</summary>
/// <param name="Address">The address.</param>
/// <param name="IsOwned">It spoke for the address (true), or asked who has it (false).</param>
/// <param name="TimestampNanoseconds">When, nanoseconds since the Unix epoch.</param>
/// <param name="CauseNanoseconds">When the frame came in before it that was for the address.</param>
public sealed record OwnershipProof(uint Address, bool IsOwned, long TimestampNanoseconds, long CauseNanoseconds);
