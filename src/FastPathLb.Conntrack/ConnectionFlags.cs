namespace FastPathLb.Conntrack;

/// <summary>What a connection record holds and has seen.</summary>
[Flags]
public enum ConnectionFlags : ushort
{
    /// <summary>Nothing: the record is free.</summary>
    None = 0,

    /// <summary>The record holds a confirmed conntrack entry (IPS_CONFIRMED).</summary>
    Tracked = 1 << 0,

    /// <summary>Conntrack has seen packets both ways (IPS_SEEN_REPLY).</summary>
    SeenReply = 1 << 1,

    /// <summary>Conntrack keeps the entry under pressure (IPS_ASSURED).</summary>
    Assured = 1 << 2,

    /// <summary>The source is translated (IPS_SRC_NAT).</summary>
    SourceNat = 1 << 3,

    /// <summary>The destination is translated (IPS_DST_NAT).</summary>
    DestinationNat = 1 << 4,

    /// <summary>The record holds an IPVS connection entry.</summary>
    Balanced = 1 << 5,

    /// <summary>IPVS counts the connection as inactive (IP_VS_CONN_F_INACTIVE).</summary>
    Inactive = 1 << 6,

    /// <summary>A persistence template (IP_VS_CONN_F_TEMPLATE).</summary>
    Template = 1 << 7,

    /// <summary>IPVS removes the conntrack entry together with its own (IP_VS_CONN_F_NFCT).</summary>
    OwnsConntrack = 1 << 8,

    /// <summary>One datagram, one connection (IP_VS_CONN_F_ONE_PACKET).</summary>
    OnePacket = 1 << 9,

    /// <summary>IPVS has seen no reply (IP_VS_CONN_F_NOOUTPUT): direct return.</summary>
    NoOutput = 1 << 10,

    /// <summary>The template's controlled connections have been seen alive (IP_VS_CTPL_S_ASSURED).</summary>
    TemplateAssured = 1 << 11,

    /// <summary>The original key is in the index.</summary>
    IndexedOriginal = 1 << 12,

    /// <summary>The reply key is in the index.</summary>
    IndexedReply = 1 << 13,

    /// <summary>The record is in the timing wheel.</summary>
    Timed = 1 << 14,
}
