using FastPathLb.Cli.Running;
using FastPathLb.Engine.Verifying;
using FastPathLb.Wire;
using static FastPathLb.Cli.Output.NumberText;

namespace FastPathLb.Cli.Output;

/// <summary>The result of a verification for people.</summary>
internal static class VerifyText
{
    /// <summary>Writes the figures, the first differences of each kind, and the notes.</summary>
    public static void Write(TextWriter writer, VerifyResult result, int first)
    {
        ReplayResult replay = result.Replay;
        writer.WriteLine($"{replay.Plan.Input.Name} against what the recording's load balancer sent, at the {replay.AttachPoint}");
        writer.WriteLine();
        FrameVerdict frames = result.Frames;
        writer.WriteLine(
            $"  frames      expected {Of(frames.ExpectedCount)}, emitted {Of(frames.ActualCount)}: "
            + $"{Of(frames.SameCount)} the same, {Of(frames.Differences.Count)} differ");
        if (result.Tables is { } tables)
        {
            writer.WriteLine(
                $"  table rows  {Of(tables.SameCount)} the same, {Of(tables.Differences.Count)} differ, "
                + $"at {string.Join(", ", tables.Tags)}");
        }

        WriteFrames(writer, frames.Differences, first);
        if (result.Tables is { IsSame: false } differing)
        {
            WriteRows(writer, differing.Differences, first);
        }

        SummaryText.WriteNotes(writer, replay.Notes);
        writer.WriteLine();
        string verdict = replay.IsStopped ? "stopped before the capture's end, no verdict"
            : result.IsSame ? "all the same"
            : "DIFFERENT";
        writer.WriteLine($"{Of(replay.Summary.Elapsed)}: {verdict}");
    }

    /// <summary>Writes the first differing frames, decoded side by side.</summary>
    public static void WriteFrames(TextWriter writer, IReadOnlyList<FrameDifference> differences, int first)
    {
        for (int index = 0; index < Math.Min(first, differences.Count); index++)
        {
            FrameDifference difference = differences[index];
            writer.WriteLine();
            writer.WriteLine(
                $"{TimeText.Of(difference.TimestampNanoseconds)}  difference {index + 1} of {differences.Count}, "
                + $"frame {difference.Index + 1} of its flow: {difference.Flow}");
            WriteSide(writer, "kernel  ", difference.Expected, "frame");
            WriteSide(writer, "emulator", difference.Actual, "caused by frame");
            if (difference is { Expected: { } expected, Actual: { } actual })
            {
                foreach (FieldDifference field in FieldComparison.Compare(expected.Bytes, actual.Bytes))
                {
                    writer.WriteLine($"    byte {field.OffsetBytes}: {field.Name} is {field.Expected}, emitted {field.Actual}");
                }
            }
        }
    }

    private static void WriteSide(TextWriter writer, string who, RecordedFrame? frame, string numberIs) => writer.WriteLine(
        frame is null ? $"  {who} nothing"
        : frame.Number > 0 ? $"  {who} {FramePrinter.Print(frame.Bytes)}  ({numberIs} {frame.Number})"
        : $"  {who} {FramePrinter.Print(frame.Bytes)}");

    /// <summary>Writes the first differing rows of tables.</summary>
    public static void WriteRows(TextWriter writer, IReadOnlyList<StateDifference> differences, int first)
    {
        writer.WriteLine();
        foreach (StateDifference difference in differences.Take(first))
        {
            writer.WriteLine(
                $"{difference.Table} at {difference.Tag}: {difference.Row}: kernel {difference.Expected ?? "nothing"}, "
                + $"emulator {difference.Actual ?? "nothing"}");
        }

        if (differences.Count > first)
        {
            writer.WriteLine($"and {differences.Count - first} more rows (--first N shows more)");
        }
    }
}
