using FastPathLb.Balancer.Ipvs;

namespace FastPathLb.Engine.Replaying;

/// <summary>Where a service's round robin stood when a recording of a node began.</summary>
/// <param name="Namespace">The namespace whose service it is.</param>
/// <param name="Service">The service.</param>
/// <param name="Picks">The servers that were picked first, by their places in the list as dumped.</param>
/// <param name="Start">How that came about.</param>
public sealed record RoundStart(string Namespace, ServiceKey Service, IReadOnlyList<int> Picks, RoundRobinStart Start);
