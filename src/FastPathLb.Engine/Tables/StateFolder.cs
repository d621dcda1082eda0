using FastPathLb.Balancer.Stack;

namespace FastPathLb.Engine.Tables;

/// <summary>A folder of tables as they stood at a moment, under the names the recordings use.</summary>
public static class StateFolder
{
    /// <summary>Writes <c>ipvsadm-Ln</c>, <c>ipvsadm-Lnc</c>, <c>ipvsadm-stats</c> and <c>mangle</c> of a tag.</summary>
    public static void Write(string directory, string tag, NetworkNamespace space, long now)
    {
        Directory.CreateDirectory(directory);
        Write($"ipvsadm-Ln.{tag}.txt", writer => IpvsadmTables.WriteList(writer, space));
        Write($"ipvsadm-Lnc.{tag}.txt", writer => IpvsadmTables.WriteConnections(writer, space, now));
        Write($"ipvsadm-stats.{tag}.txt", writer => IpvsadmTables.WriteStatistics(writer, space));
        Write($"mangle.{tag}.txt", writer => IptablesTables.Write(writer, space.Mangle));

        void Write(string name, Action<TextWriter> write)
        {
            using StreamWriter writer = new(Path.Combine(directory, name)) { NewLine = "\n" };
            write(writer);
        }
    }
}
