using FastPathLb.Conntrack;

namespace FastPathLb.Balancer.Tests.Properties;

/// <summary>What IPVS must know of a flow.</summary>
/// <param name="Server">The server's address.</param>
/// <param name="State">State.</param>
/// <param name="Expires">When it ends.</param>
internal sealed record ModelConnection(string Server, IpvsTcpState State, long Expires);
