namespace FastPathLb.Balancer;

/// <summary>Where frames enter and leave.</summary>
public enum AttachPoint : byte
{
    /// <summary>The node's interface on the underlay: VXLAN in, VXLAN out.</summary>
    Underlay = 0,

    /// <summary>The load balancer's own interface: plain inner frames, as tcpdump shows them in the lb_ namespace or on br0.</summary>
    Overlay = 1,
}
