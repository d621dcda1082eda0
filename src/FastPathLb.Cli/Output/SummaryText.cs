using FastPathLb.Balancer;
using FastPathLb.Balancer.Ipvs;
using FastPathLb.Cli.Running;
using FastPathLb.Engine.Reporting;
using FastPathLb.Pipeline;
using static FastPathLb.Cli.Output.NumberText;

namespace FastPathLb.Cli.Output;

/// <summary>The summary of a replay for people.</summary>
internal static class SummaryText
{
    /// <summary>Writes the summary.</summary>
    public static void Write(TextWriter writer, ReplayResult result)
    {
        writer.WriteLine($"{result.Plan.Input.Name} through the load balancer of {result.Plan.Node.Origin}, at the {result.AttachPoint}");
        writer.WriteLine();
        WriteFrames(writer, result);
        WriteServices(writer, result.Services);
        WriteReasons(writer, result.Reasons);
        WriteNotes(writer, result.Notes);
        writer.WriteLine();
        WriteEnd(writer, result);
    }

    /// <summary>Writes notes, one a line.</summary>
    public static void WriteNotes(TextWriter writer, IReadOnlyList<string> notes)
    {
        if (notes.Count == 0)
        {
            return;
        }

        writer.WriteLine();
        writer.WriteLine("Notes");
        foreach (string note in notes)
        {
            writer.WriteLine($"  {note}");
        }
    }

    /// <summary>A verdict's word.</summary>
    public static string NameOf(Verdict verdict) => verdict switch
    {
        // Enum.ToString looks the names up by reflection, which takes longer than all else that is written here.
        Verdict.Forwarded => "forwarded",
        Verdict.Answered => "answered",
        Verdict.Consumed => "consumed",
        Verdict.Held => "held",
        Verdict.Dropped => "dropped",
        _ => verdict.ToString().ToLowerInvariant(),
    };

    private static void WriteFrames(TextWriter writer, ReplayResult result)
    {
        FrameCounters counters = result.Summary.Counters;
        TextTable table = new("", ">frames", ">bytes", "");
        table.Add("in", Of(counters.FramesIn), Of(counters.BytesIn), "");
        foreach (Verdict verdict in ReplayResult.Verdicts)
        {
            if (counters[verdict] > 0)
            {
                table.Add($"  {NameOf(verdict)}", Of(counters[verdict]), "", MeaningOf(verdict));
            }
        }

        table.Add("out", Of(result.FramesOut), Of(result.BytesOut), "");
        if (result.Summary.OwnFrameCount > 0)
        {
            table.Add("passed over", Of(result.Summary.OwnFrameCount), "", "sent by the recording's own load balancer");
        }

        table.Write(writer);
    }

    private static string MeaningOf(Verdict verdict) => verdict switch
    {
        Verdict.Forwarded => "sent on, translated",
        Verdict.Answered => "answered by the load balancer's own stack",
        Verdict.Consumed => "taken by the load balancer's own stack, which has nothing to say",
        Verdict.Held => "kept for later",
        _ => "see why below",
    };

    private static void WriteServices(TextWriter writer, IReadOnlyList<ServiceTraffic> services)
    {
        if (services.Count == 0)
        {
            return;
        }

        writer.WriteLine();
        TextTable table = new("Service", "scheduler", ">conns", ">packets in", ">packets out", ">bytes in", ">bytes out");
        foreach (ServiceTraffic service in services)
        {
            Add(table, NameOf(service), service.Scheduler, service.Counters);
            foreach (ServerTraffic server in service.Servers)
            {
                Add(table, $"  -> {server.Address}", $"weight {server.Weight}", server.Counters);
            }
        }

        table.Write(writer);
    }

    private static void Add(TextTable table, string name, string scheduler, IpvsCounters counters) => table.Add(
        name, scheduler, Of(counters.Connections), Of(counters.InPackets), Of(counters.OutPackets), Of(counters.InBytes),
        Of(counters.OutBytes));

    private static string NameOf(ServiceTraffic service)
    {
        // ipvsadm's own name has the address already where there is no mark.
        string address = service.Address is { } known && service.Service.StartsWith("FWM", StringComparison.Ordinal) ? $"  {known}" : "";
        return $"{service.Service}{address}{(service.Name is null ? "" : $"  {service.Name}")}";
    }

    private static void WriteReasons(TextWriter writer, List<(DropReason Reason, long Frames)> reasons)
    {
        if (reasons.Count == 0)
        {
            return;
        }

        writer.WriteLine();
        TextTable table = new("Went no further", ">frames", "because");
        foreach ((DropReason reason, long frames) in reasons)
        {
            table.Add(DropReasonText.Name(reason), Of(frames), DropReasonText.Describe(reason));
        }

        table.Write(writer);
    }

    private static void WriteEnd(TextWriter writer, ReplayResult result)
    {
        string stopped = result.IsStopped ? "stopped before the capture's end; " : "";
        string written = result.Plan.Output is { } path ? $"; wrote {Of(result.FramesOut)} frames to {path}" : "";
        string tables = result.Plan.StateFolder is { } folder ? $"; tables in {folder}" : "";
        writer.WriteLine($"{stopped}{Of(result.Summary.Elapsed)}, {Rate(result.Summary.MillionFramesPerSecond)}{written}{tables}");
    }
}
