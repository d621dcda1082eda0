namespace FastPathLb.Conntrack;

/// <summary>How an insert into the index ended.</summary>
public enum IndexInsert : byte
{
    /// <summary>The key is found from now on.</summary>
    Done = 0,

    /// <summary>Another connection holds the key.</summary>
    Taken = 1,

    /// <summary>No slot was free in reach.</summary>
    Full = 2,
}
