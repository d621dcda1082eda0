namespace FastPathLb.Balancer.Netfilter;

/// <summary>Counts packets: a rule, or a chain's policy.</summary>
internal interface ITrafficCounter
{
    /// <summary>Counts packets.</summary>
    /// <param name="packets">How many.</param>
    /// <param name="bytes">Their IPv4 total lengths.</param>
    void Add(long packets, long bytes);
}
