namespace FastPathLb.Engine.Building;

/// <summary>In which order servers were added, which decides round robin's order and which a sorted dump does not tell.</summary>
public enum ServerOrder
{
    /// <summary>As they are listed.</summary>
    Listed,

    /// <summary>The other way round.</summary>
    Reversed,
}
