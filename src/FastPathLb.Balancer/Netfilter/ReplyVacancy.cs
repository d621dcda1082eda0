using FastPathLb.Conntrack;

namespace FastPathLb.Balancer.Netfilter;

/// <summary>What a search for the reply's key of a new connection found out.</summary>
internal struct ReplyVacancy
{
    /// <summary>The key's hash, where nobody holds it: whoever takes the key needs it again.</summary>
    public ulong Hash;

    /// <summary>Where it may be put, if the index did not have it: good until something else is indexed.</summary>
    public IndexVacancy Place;

    /// <summary>Whether nobody holds the key.</summary>
    public bool IsFree;
}
