namespace FastPathLb.Engine.Reporting;

/// <summary>What a frame is to the load balancer, by its addresses.</summary>
public enum FrameRole
{
    /// <summary>None of the others.</summary>
    Other = 0,

    /// <summary>A client calls a virtual address.</summary>
    ClientToVirtual,

    /// <summary>The load balancer passes on to a real server.</summary>
    BalancerToServer,

    /// <summary>A real server answers the load balancer.</summary>
    ServerToBalancer,

    /// <summary>The load balancer answers a client, mostly in the name of a virtual address.</summary>
    BalancerToClient,

    /// <summary>Anyone but a real server calls the load balancer's own address.</summary>
    ClientToBalancer,

    /// <summary>Address resolution.</summary>
    Arp,
}
