using System.Text.Json;
using FastPathLb.Balancer;
using FastPathLb.Balancer.Ipvs;
using FastPathLb.Cli.Running;
using FastPathLb.Engine.Reporting;
using FastPathLb.Pipeline;

namespace FastPathLb.Cli.Output;

/// <summary>The summary of a replay as JSON.</summary>
internal static class SummaryJson
{
    /// <summary>Writes a document with the summary.</summary>
    public static void Write(TextWriter output, ReplayResult result)
    {
        using JsonOutput json = new(output);
        json.Writer.WriteStartObject();
        WriteMembers(json.Writer, result);
        json.Writer.WriteEndObject();
        json.End();
    }

    /// <summary>Writes the summary's members into an object.</summary>
    public static void WriteMembers(Utf8JsonWriter writer, ReplayResult result)
    {
        FrameCounters counters = result.Summary.Counters;
        writer.WriteString("input", result.Plan.Input.Name);
        writer.WriteString("node", result.Plan.Node.Origin);
        writer.WriteString("attach", result.AttachPoint);
        writer.WriteString("output", result.Plan.Output);
        writer.WriteBoolean("stopped", result.IsStopped);
        writer.WriteNumber("framesIn", counters.FramesIn);
        writer.WriteNumber("bytesIn", counters.BytesIn);
        writer.WriteNumber("framesOut", result.FramesOut);
        writer.WriteNumber("bytesOut", result.BytesOut);
        writer.WriteNumber("framesPassedOver", result.Summary.OwnFrameCount);
        writer.WriteNumber("framesUnserved", result.Summary.UnservedFrameCount);
        writer.WriteNumber("framesCut", counters.CutFrames);
        writer.WriteStartObject("verdicts");
        foreach (Verdict verdict in ReplayResult.Verdicts)
        {
            writer.WriteNumber(SummaryText.NameOf(verdict), counters[verdict]);
        }

        writer.WriteEndObject();
        writer.WriteStartArray("services");
        foreach (ServiceTraffic service in result.Services)
        {
            WriteService(writer, service);
        }

        writer.WriteEndArray();
        writer.WriteStartArray("reasons");
        foreach ((DropReason reason, long frames) in result.Reasons)
        {
            writer.WriteStartObject();
            writer.WriteString("reason", DropReasonText.Name(reason));
            writer.WriteString("text", DropReasonText.Describe(reason));
            writer.WriteNumber("frames", frames);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        WriteStrings(writer, "notes", result.Notes);
        writer.WriteNumber("elapsedSeconds", result.Summary.Elapsed.TotalSeconds);
        writer.WriteNumber("millionFramesPerSecond", Math.Round(result.Summary.MillionFramesPerSecond, 3));
    }

    /// <summary>Writes an array of strings.</summary>
    public static void WriteStrings(Utf8JsonWriter writer, string name, IEnumerable<string> values)
    {
        writer.WriteStartArray(name);
        foreach (string value in values)
        {
            writer.WriteStringValue(value);
        }

        writer.WriteEndArray();
    }

    private static void WriteService(Utf8JsonWriter writer, ServiceTraffic service)
    {
        writer.WriteStartObject();
        writer.WriteString("service", service.Service);
        writer.WriteString("address", service.Address?.ToString());
        writer.WriteString("name", service.Name);
        writer.WriteString("scheduler", service.Scheduler);
        WriteCounters(writer, service.Counters);
        writer.WriteStartArray("servers");
        foreach (ServerTraffic server in service.Servers)
        {
            writer.WriteStartObject();
            writer.WriteString("address", server.Address);
            writer.WriteNumber("weight", server.Weight);
            writer.WriteNumber("activeConnections", server.ActiveConnections);
            writer.WriteNumber("inactiveConnections", server.InactiveConnections);
            WriteCounters(writer, server.Counters);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteCounters(Utf8JsonWriter writer, IpvsCounters counters)
    {
        writer.WriteNumber("connections", counters.Connections);
        writer.WriteNumber("inPackets", counters.InPackets);
        writer.WriteNumber("outPackets", counters.OutPackets);
        writer.WriteNumber("inBytes", counters.InBytes);
        writer.WriteNumber("outBytes", counters.OutBytes);
    }
}
