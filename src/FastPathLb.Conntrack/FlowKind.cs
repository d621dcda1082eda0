namespace FastPathLb.Conntrack;

/// <summary>What a <see cref="FlowKey"/> stands for.</summary>
public enum FlowKind : byte
{
    /// <summary>Packets of one direction of a connection.</summary>
    Flow = 0,

    /// <summary>An IPVS persistence template: a client network and a service.</summary>
    Template = 1,

    /// <summary>The key by which IPVS alone finds replies, where conntrack has no binding: server to client.</summary>
    IpvsReply = 2,
}
