using System.Runtime.InteropServices;
using FastPathLb.Conntrack;
using FastPathLb.Engine.Building;
using FastPathLb.Engine.Tables;

namespace FastPathLb.Balancer.Tests;

/// <summary>All that a load balancer keeps, as text to compare.</summary>
internal static class Tables
{
    public static string Of(BuiltLoadBalancer built)
    {
        using StringWriter text = new();
        IpvsadmTables.WriteList(text, built.Namespace);
        IpvsadmTables.WriteStatistics(text, built.Namespace);
        IpvsadmTables.WriteConnections(text, built.Namespace, built.Balancer.Now);
        IptablesTables.Write(text, built.Namespace.Mangle);
        IptablesTables.Write(text, built.Namespace.Filter);
        IptablesTables.Write(text, built.Namespace.Translator.Table);

        // Whatever the tables do not show: windows, timeouts to the nanosecond.
        for (int number = 0; number < built.Table.NumbersUsed; number++)
        {
            Connection connection = built.Table[number];
            connection.DecisionGeneration = 0;
            connection.DecisionOriginal = 0;
            connection.DecisionReply = 0;
            connection.ClientLink = 0;
            text.WriteLine(Convert.ToHexString(MemoryMarshal.AsBytes(new ReadOnlySpan<Connection>(ref connection))));
        }

        return text.ToString();
    }
}
