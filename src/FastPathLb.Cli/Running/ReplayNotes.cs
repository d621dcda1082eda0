using System.Globalization;
using FastPathLb.Cli.Options;
using FastPathLb.Engine.Replaying;
using FastPathLb.Io.Captures;
using FastPathLb.Pipeline;

namespace FastPathLb.Cli.Running;

/// <summary>What a user should know before trusting a result: what was inferred, not emulated, or wrong with the capture.</summary>
internal static class ReplayNotes
{
    /// <summary>The notes, one sentence each.</summary>
    public static IReadOnlyList<string> Of(ReplayPlan plan, ReplaySummary summary)
    {
        List<string> notes = [.. plan.Notes, .. summary.Notes];
        if (LocalTasks.ReasonAgainst(plan) is not null && summary.OwnFrameCount > 0)
        {
            notes.Add(
                "Tasks of the network run on this node: their frames do not cross the underlay, so what the load balancer sent them "
                + "is missing here.");
        }

        if (summary.CaptureWarning is { } warning)
        {
            notes.Add($"{plan.Input.Name}: {warning}.");
        }

        if (summary.Counters.CutFrames > 0)
        {
            notes.Add(Sentence(
                $"{summary.Counters.CutFrames} frames were cut by the capture's snap length: 'tcpdump -s 0' captures whole ones."));
        }

        if (summary.UnservedFrameCount > 0)
        {
            LinkType linkType = plan.Input.Reader.Info.LinkType;
            notes.Add(Sentence(
                $"{summary.UnservedFrameCount} records hold no packet that is read here (link type {linkType}): passed over."));
        }

        if (summary.Counters.FramesIn > 0 && summary.Counters[Verdict.Forwarded] + summary.Counters[Verdict.Answered] == 0)
        {
            notes.Add("Nothing was forwarded or answered: is it the node's own capture, and --attach right?");
        }

        return notes;
    }

    private static string Sentence(FormattableString sentence) => sentence.ToString(CultureInfo.InvariantCulture);
}
