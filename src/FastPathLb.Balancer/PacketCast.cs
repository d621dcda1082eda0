namespace FastPathLb.Balancer;

/// <summary>How a frame was addressed at the link layer (skb->pkt_type).</summary>
public enum PacketCast : byte
{
    /// <summary>To this interface.</summary>
    Host = 0,

    /// <summary>To everybody.</summary>
    Broadcast = 1,

    /// <summary>To a group.</summary>
    Multicast = 2,

    /// <summary>To another host.</summary>
    OtherHost = 3,
}
