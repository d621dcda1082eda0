namespace FastPathLb.Balancer.Ipvs;

/// <summary>How packets reach a real server.</summary>
public enum ForwardingMethod : byte
{
    /// <summary>Masq: network address translation, replies come back this way.</summary>
    Masquerade = 0,

    /// <summary>Route: the packet as it is, to the server's MAC; replies go their own way.</summary>
    Route = 1,

    /// <summary>Tunnel: IPv4 in IPv4 to the server; replies go their own way.</summary>
    Tunnel = 2,

    /// <summary>Local: the server is this host.</summary>
    Local = 3,
}
