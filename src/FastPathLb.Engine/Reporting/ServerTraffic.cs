using FastPathLb.Balancer.Ipvs;

namespace FastPathLb.Engine.Reporting;

/// <summary>A real server and its traffic.</summary>
/// <param name="Address">Address and port, as <c>ipvsadm</c> shows them.</param>
/// <param name="Weight">Its weight.</param>
/// <param name="ActiveConnections">Connections in an active state.</param>
/// <param name="InactiveConnections">The others.</param>
/// <param name="Counters">Connections, packets and bytes.</param>
public sealed record ServerTraffic(
    string Address, int Weight, int ActiveConnections, int InactiveConnections, IpvsCounters Counters);
