namespace FastPathLb.Engine.Replaying;

/// <summary>
/// How a recording whose first new connection did not go to the first server of the list came about: dumps tell neither where a
/// round stood nor, where ipvsadm sorted them, in which order servers were added.
/// </summary>
public enum RoundRobinStart
{
    /// <summary>The list is as dumped, and a round begins.</summary>
    AsListed,

    /// <summary>The list is as dumped, and a round was under way.</summary>
    MidRound,

    /// <summary>A round begins, and the list is in the order in which the recording's connections went.</summary>
    Reordered,
}
