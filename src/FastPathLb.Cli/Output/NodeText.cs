using FastPathLb.Balancer;
using FastPathLb.Balancer.Ipvs;
using FastPathLb.Balancer.Node;
using FastPathLb.Cli.Running;
using FastPathLb.Engine.Tables;
using FastPathLb.Engine.Verifying;
using FastPathLb.Pipeline;
using static FastPathLb.Cli.Output.NumberText;

namespace FastPathLb.Cli.Output;

/// <summary>What came of captures through a whole node, for people.</summary>
internal static class NodeText
{
    /// <summary>Writes it.</summary>
    public static void Write(TextWriter writer, NodeRun run, int first)
    {
        SwarmNode node = run.Built.Node;
        writer.WriteLine($"{run.Name} through the whole node: {string.Join(", ", node.Spaces.Select(space => space.Name))}");
        writer.WriteLine();
        FrameCounters counters = node.Counters;
        TextTable frames = new("", ">frames", "");
        frames.Add(
            "in", Of(counters.FramesIn), run.Source.TaskFrameCount == 0 ? "" : $"{Of(run.Source.TaskFrameCount)} of them from tasks");
        foreach (Verdict verdict in Enum.GetValues<Verdict>().Where(verdict => counters[verdict] > 0))
        {
            frames.Add($"  {SummaryText.NameOf(verdict)}", Of(counters[verdict]), "");
        }

        for (int port = 0; port < node.Ports.Count; port++)
        {
            if (node.Ports[port].Kind != NodePortKind.Tap && (run.Sink.FrameCounts[port] > 0 || port == SwarmNode.UplinkPort))
            {
                string what = port == SwarmNode.UplinkPort ? "out at the card" : "delivered to a task of this node";
                frames.Add($"out {node.Ports[port].Name}", Of(run.Sink.FrameCounts[port]), what);
            }
        }

        frames.Add("passed over", Of(run.Source.PassedOverCount), "sent by the recording's own node");
        foreach ((uint index, long count) in node.EncryptedPackets)
        {
            frames.Add("encrypted", Of(count), $"SPI 0x{index:x8}: cannot be read");
        }

        frames.Write(writer);
        WriteServices(writer, node);
        WriteReasons(writer, counters);
        if (run.Comparison is { } comparison)
        {
            WriteComparison(writer, run, comparison, first);
        }

        SummaryText.WriteNotes(writer, run.Notes);
        writer.WriteLine();
        string end = run.Comparison is null ? run.Output is { } path ? $"wrote {path}" : "done" : run.IsSame ? "all the same" : "DIFFERENT";
        writer.WriteLine($"{Of(run.Elapsed)}: {end}");
    }

    private static void WriteServices(TextWriter writer, SwarmNode node)
    {
        TextTable table = new("Service", "in", ">conns", ">packets in", ">packets out");
        bool isEmpty = true;
        foreach (Balancer.Stack.NetworkNamespace space in node.Spaces)
        {
            foreach (VirtualService service in space.Ipvs.Services.Where(service => service.Counters.Connections > 0))
            {
                isEmpty = false;
                Add(table, IpvsadmTables.NameOf(service.Key), space.Name, service.Counters);
                foreach (RealServer server in service.Servers)
                {
                    Add(table, $"  -> {new Wire.Ipv4Address(server.Address)}", "", server.Counters);
                }
            }
        }

        if (!isEmpty)
        {
            writer.WriteLine();
            table.Write(writer);
        }
    }

    private static void Add(TextTable table, string name, string space, IpvsCounters counters) =>
        table.Add(name, space, Of(counters.Connections), Of(counters.InPackets), Of(counters.OutPackets));

    private static void WriteReasons(TextWriter writer, FrameCounters counters)
    {
        TextTable table = new("Went no further", ">frames", "because");
        DropReason[] reasons = [.. Enum.GetValues<DropReason>().Where(reason => reason != DropReason.None && counters[reason] > 0)];
        foreach (DropReason reason in reasons)
        {
            table.Add(DropReasonText.Name(reason), Of(counters[reason]), DropReasonText.Describe(reason));
        }

        if (reasons.Length > 0)
        {
            writer.WriteLine();
            table.Write(writer);
        }
    }

    private static void WriteComparison(TextWriter writer, NodeRun run, NodeComparison comparison, int first)
    {
        writer.WriteLine();
        TextTable table = new("Compared", ">expected", ">emitted", ">the same", ">differ");
        foreach ((string name, FrameVerdict verdict) in run.Frames)
        {
            table.Add(name, Of(verdict.ExpectedCount), Of(verdict.ActualCount), Of(verdict.SameCount), Of(verdict.Differences.Count));
        }

        foreach ((string name, StateVerdict verdict) in run.Tables)
        {
            table.Add($"tables of {name}, rows", "", "", Of(verdict.SameCount), Of(verdict.Differences.Count));
        }

        table.Write(writer);
        writer.WriteLine(
            $"  Not compared at the card: {Of(comparison.HostFrameCount)} frames of the host's own programs, "
            + $"{Of(comparison.UncausedFrameCount)} that answer for tasks whose own frames no capture shows, "
            + $"{Of(comparison.UnheardFrameCount)} of load balancers whose callers no capture shows (--tap).");
        foreach ((_, FrameVerdict verdict) in run.Frames)
        {
            VerifyText.WriteFrames(writer, verdict.Differences, first);
        }

        foreach ((_, StateVerdict verdict) in run.Tables.Where(item => !item.Verdict.IsSame))
        {
            VerifyText.WriteRows(writer, verdict.Differences, first);
        }
    }
}
