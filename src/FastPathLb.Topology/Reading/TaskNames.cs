namespace FastPathLb.Topology;

/// <summary>Names of tasks.</summary>
internal static class TaskNames
{
    // As Docker makes identifiers of tasks and nodes.
    private const int IdentifierLength = 25;

    /// <summary><c>web.1</c> of <c>web.1.mc5seird2uab95ojhim0biikn</c>; other names as they are.</summary>
    public static string Short(string name)
    {
        int dot = name.LastIndexOf('.');
        return dot > 0 && name.Length - dot - 1 == IdentifierLength ? name[..dot] : name;
    }
}
