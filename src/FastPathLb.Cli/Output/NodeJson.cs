using System.Text.Json;
using FastPathLb.Balancer.Node;
using FastPathLb.Cli.Running;
using FastPathLb.Engine.Verifying;
using FastPathLb.Pipeline;

namespace FastPathLb.Cli.Output;

/// <summary>What came of captures through a whole node, as JSON.</summary>
internal static class NodeJson
{
    /// <summary>Writes it.</summary>
    public static void Write(TextWriter output, NodeRun run)
    {
        using JsonOutput json = new(output);
        Utf8JsonWriter writer = json.Writer;
        SwarmNode node = run.Built.Node;
        writer.WriteStartObject();
        writer.WriteString("input", run.Name);
        SummaryJson.WriteStrings(writer, "namespaces", node.Spaces.Select(space => space.Name));
        writer.WriteNumber("framesIn", node.Counters.FramesIn);
        writer.WriteNumber("framesOfTasks", run.Source.TaskFrameCount);
        writer.WriteNumber("framesPassedOver", run.Source.PassedOverCount);
        writer.WriteStartObject("verdicts");
        foreach (Verdict verdict in Enum.GetValues<Verdict>())
        {
            writer.WriteNumber(SummaryText.NameOf(verdict), node.Counters[verdict]);
        }

        writer.WriteEndObject();
        writer.WriteStartArray("ports");
        for (int port = 0; port < node.Ports.Count; port++)
        {
            writer.WriteStartObject();
            writer.WriteString("name", node.Ports[port].Name);
            writer.WriteString("kind", node.Ports[port].Kind.ToString().ToLowerInvariant());
            writer.WriteNumber("framesOut", run.Sink.FrameCounts[port]);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartArray("encrypted");
        foreach ((uint index, long count) in node.EncryptedPackets)
        {
            writer.WriteStartObject();
            writer.WriteString("spi", $"0x{index:x8}");
            writer.WriteNumber("frames", count);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        if (run.Comparison is { } comparison)
        {
            WriteComparison(writer, run, comparison);
        }

        SummaryJson.WriteStrings(writer, "notes", run.Notes);
        writer.WriteNumber("elapsedSeconds", run.Elapsed.TotalSeconds);
        writer.WriteEndObject();
        json.End();
    }

    private static void WriteComparison(Utf8JsonWriter writer, NodeRun run, NodeComparison comparison)
    {
        writer.WriteBoolean("same", run.IsSame);
        writer.WriteStartArray("compared");
        foreach ((string name, FrameVerdict verdict) in run.Frames)
        {
            writer.WriteStartObject();
            writer.WriteString("port", name);
            writer.WriteNumber("expected", verdict.ExpectedCount);
            writer.WriteNumber("emitted", verdict.ActualCount);
            writer.WriteNumber("same", verdict.SameCount);
            writer.WriteNumber("differ", verdict.Differences.Count);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartArray("tables");
        foreach ((string name, StateVerdict verdict) in run.Tables)
        {
            writer.WriteStartObject();
            writer.WriteString("namespace", name);
            writer.WriteNumber("same", verdict.SameCount);
            writer.WriteNumber("differ", verdict.Differences.Count);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteNumber("hostFramesNotCompared", comparison.HostFrameCount);
        writer.WriteNumber("uncausedFramesNotCompared", comparison.UncausedFrameCount);
        writer.WriteNumber("unheardFramesNotCompared", comparison.UnheardFrameCount);
    }
}
