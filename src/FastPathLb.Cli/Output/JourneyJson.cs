using System.Diagnostics.CodeAnalysis;
using FastPathLb.Cli.Running;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Cli.Output;

/// <summary>Journeys of frames as JSON.</summary>
internal sealed class JourneyJson : IJourneyOutput
{
    private readonly JsonOutput _json;

    [SuppressMessage("Usage", "CA2213", Justification = "Lent by the caller.")]
    private readonly FollowRun _run;

    /// <summary>Begins the document.</summary>
    public JourneyJson(TextWriter output, FollowRun run)
    {
        _json = new JsonOutput(output);
        _run = run;
        _json.Writer.WriteStartObject();
        _json.Writer.WriteString("input", run.Name);
        SummaryJson.WriteStrings(_json.Writer, "nodes", run.NodeNames);
        SummaryJson.WriteStrings(_json.Writer, "notes", run.Notes);
        _json.Writer.WriteStartArray("journeys");
    }

    /// <inheritdoc/>
    public void Write(Journey journey)
    {
        _json.Writer.WriteStartObject();
        _json.Writer.WriteNumber("frame", journey.Number);
        _json.Writer.WriteString("time", TimeText.Full(journey.TimestampNanoseconds));
        _json.Writer.WriteStartArray("steps");
        foreach (JourneyLine line in journey.Lines)
        {
            _json.Writer.WriteStartObject();
            _json.Writer.WriteString("node", line.Node);
            _json.Writer.WriteString("port", line.Step.Port.Name);
            _json.Writer.WriteString("kind", line.Step.Port.Kind.ToString().ToLowerInvariant());
            _json.Writer.WriteString("does", line.Step.Kind.ToString().ToLowerInvariant());
            _json.Writer.WriteString("text", FramePrinter.Print(line.Step.Frame));
            if (line.Step.Verdict != Verdict.None)
            {
                _json.Writer.WriteString("verdict", SummaryText.NameOf(line.Step.Verdict));
            }

            if (line.Step.Reason != DropReason.None)
            {
                _json.Writer.WriteString("reason", DropReasonText.Name(line.Step.Reason));
            }

            if (FollowRun.IsOnWire(line.Step))
            {
                WriteNumber("recordedAs", line.RecordedAs);
            }

            _json.Writer.WriteEndObject();
        }

        _json.Writer.WriteEndArray();
        _json.Writer.WriteEndObject();
        _json.Advance();
    }

    /// <inheritdoc/>
    public void End()
    {
        _json.Writer.WriteEndArray();
        _json.Writer.WriteNumber("framesIn", _run.FollowedCount);
        _json.Writer.WriteNumber("framesRecordedAtCards", _run.Recorded.Count);
        _json.Writer.WriteNumber("framesAsRecorded", _run.Recorded.TakenCount);
        _json.Writer.WriteEndObject();
        _json.End();
    }

    /// <inheritdoc/>
    public void Dispose() => _json.Dispose();

    private void WriteNumber(string name, long? value)
    {
        if (value is { } number)
        {
            _json.Writer.WriteNumber(name, number);
        }
        else
        {
            _json.Writer.WriteNull(name);
        }
    }
}
