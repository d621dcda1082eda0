using FastPathLb.Balancer.Stack;

namespace FastPathLb.Engine.Tables;

/// <summary>A folder of tables as they stood at a moment, under the names the recordings use.</summary>
public static class StateFolder
{
    /// <summary>Writes <c>ipvsadm-Ln</c>, <c>ipvsadm-stats</c> and <c>mangle</c> of a tag.</summary>
    public static void WriteCounters(string directory, string tag, NetworkNamespace space)
    {
        Write(directory, $"ipvsadm-Ln.{tag}.txt", writer => IpvsadmTables.WriteList(writer, space));
        Write(directory, $"ipvsadm-stats.{tag}.txt", writer => IpvsadmTables.WriteStatistics(writer, space));
        Write(directory, $"mangle.{tag}.txt", writer => IptablesTables.Write(writer, space.Mangle));
    }

    /// <summary>Writes <c>ipvsadm-Lnc</c> of a tag.</summary>
    public static void WriteConnections(string directory, string tag, NetworkNamespace space, long now) =>
        Write(directory, $"ipvsadm-Lnc.{tag}.txt", writer => IpvsadmTables.WriteConnections(writer, space, now));

    private static void Write(string directory, string name, Action<TextWriter> write)
    {
        Directory.CreateDirectory(directory);
        using StreamWriter writer = new(Path.Combine(directory, name)) { NewLine = "\n" };
        write(writer);
    }
}
