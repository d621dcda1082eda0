namespace FastPathLb.Pipeline;

/// <summary>What became of an input frame.</summary>
public enum Verdict : byte
{
    /// <summary>Not decided yet.</summary>
    None = 0,

    /// <summary>Sent on, translated or not.</summary>
    Forwarded,

    /// <summary>The load balancer's own stack answered (ARP reply, echo reply, RST, ICMP error); see the drop reason for why, if any.</summary>
    Answered,

    /// <summary>Taken by the load balancer's own stack, which has nothing to say to it (an ARP reply, an echo reply).</summary>
    Consumed,

    /// <summary>Kept for later: a fragment waiting for the rest of its datagram.</summary>
    Held,

    /// <summary>Dropped; the <see cref="DropReason"/> says why.</summary>
    Dropped,
}
