using System.Text.Json;
using FastPathLb.Cli.Running;
using FastPathLb.Engine.Verifying;
using FastPathLb.Wire;

namespace FastPathLb.Cli.Output;

/// <summary>The result of verifications as JSON.</summary>
internal static class VerifyJson
{
    /// <summary>Writes a document with one result.</summary>
    public static void Write(TextWriter output, VerifyResult result, int first)
    {
        using JsonOutput json = new(output);
        json.Writer.WriteStartObject();
        WriteMembers(json.Writer, result, first);
        json.Writer.WriteEndObject();
        json.End();
    }

    /// <summary>Writes a document with the results of many recordings.</summary>
    public static void WriteAll(TextWriter output, IReadOnlyList<RecordingOutcome> outcomes, int first)
    {
        using JsonOutput json = new(output);
        json.Writer.WriteStartObject();
        json.Writer.WriteBoolean(
            "same", outcomes.All(outcome => outcome is { Problem: null, Result.IsSame: true } or { LeftOut: not null }));
        json.Writer.WriteStartArray("recordings");
        foreach (RecordingOutcome outcome in outcomes)
        {
            json.Writer.WriteStartObject();
            json.Writer.WriteString("name", outcome.Recording.Name);
            json.Writer.WriteString("attachPoint", outcome.Recording.Attach);
            json.Writer.WriteNumber("seconds", outcome.Elapsed.TotalSeconds);
            json.Writer.WriteString("problem", outcome.Problem);
            json.Writer.WriteString("leftOut", outcome.LeftOut);
            if (outcome.Result is { } result)
            {
                WriteMembers(json.Writer, result, first);
            }

            json.Writer.WriteEndObject();
            json.Advance();
        }

        json.Writer.WriteEndArray();
        json.Writer.WriteEndObject();
        json.End();
    }

    private static void WriteMembers(Utf8JsonWriter writer, VerifyResult result, int first)
    {
        writer.WriteBoolean("isSame", result.IsSame);
        writer.WriteStartObject("frames");
        writer.WriteNumber("expected", result.Frames.ExpectedCount);
        writer.WriteNumber("emitted", result.Frames.ActualCount);
        writer.WriteNumber("same", result.Frames.SameCount);
        writer.WriteNumber("different", result.Frames.Differences.Count);
        writer.WriteStartArray("differences");
        foreach (FrameDifference difference in result.Frames.Differences.Take(first))
        {
            WriteDifference(writer, difference);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
        if (result.Tables is { } tables)
        {
            WriteTables(writer, tables, first);
        }
        else
        {
            writer.WriteNull("tables");
        }

        writer.WriteStartObject("replay");
        SummaryJson.WriteMembers(writer, result.Replay);
        writer.WriteEndObject();
    }

    private static void WriteDifference(Utf8JsonWriter writer, FrameDifference difference)
    {
        writer.WriteStartObject();
        writer.WriteString("time", TimeText.Full(difference.TimestampNanoseconds));
        writer.WriteString("flow", difference.Flow);
        writer.WriteNumber("index", difference.Index);
        writer.WriteString("expected", difference.Expected is { } expected ? FramePrinter.Print(expected.Bytes) : null);
        writer.WriteString("emitted", difference.Actual is { } actual ? FramePrinter.Print(actual.Bytes) : null);
        WriteNumber(writer, "expectedFrame", difference.Expected);
        WriteNumber(writer, "causedByFrame", difference.Actual);
        writer.WriteStartArray("fields");
        if (difference is { Expected: { } wanted, Actual: { } emitted })
        {
            foreach (FieldDifference field in FieldComparison.Compare(wanted.Bytes, emitted.Bytes))
            {
                writer.WriteStartObject();
                writer.WriteString("name", field.Name);
                writer.WriteNumber("offset", field.OffsetBytes);
                writer.WriteString("expected", field.Expected);
                writer.WriteString("emitted", field.Actual);
                writer.WriteEndObject();
            }
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteNumber(Utf8JsonWriter writer, string name, RecordedFrame? frame)
    {
        if (frame is { Number: > 0 })
        {
            writer.WriteNumber(name, frame.Number);
        }
        else
        {
            writer.WriteNull(name);
        }
    }

    private static void WriteTables(Utf8JsonWriter writer, StateVerdict tables, int first)
    {
        writer.WriteStartObject("tables");
        SummaryJson.WriteStrings(writer, "checkpoints", tables.Tags);
        writer.WriteNumber("same", tables.SameCount);
        writer.WriteNumber("different", tables.Differences.Count);
        writer.WriteStartArray("differences");
        foreach (StateDifference difference in tables.Differences.Take(first))
        {
            writer.WriteStartObject();
            writer.WriteString("table", difference.Table);
            writer.WriteString("checkpoint", difference.Tag);
            writer.WriteString("row", difference.Row);
            writer.WriteString("expected", difference.Expected);
            writer.WriteString("emulated", difference.Actual);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
