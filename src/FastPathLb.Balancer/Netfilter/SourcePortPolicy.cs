namespace FastPathLb.Balancer.Netfilter;

/// <summary>Which port a source is translated to when its own is taken.</summary>
public enum SourcePortPolicy : byte
{
    /// <summary>The next free one above: the same in every run.</summary>
    NextFree = 0,

    /// <summary>From a drawn one on, as the kernel does, but from a seed.</summary>
    Drawn = 1,
}
