using System.Text.Json;
using FastPathLb.Cli.Running;
using FastPathLb.Pipeline;

namespace FastPathLb.Cli.Output;

/// <summary>Frames as JSON objects.</summary>
internal static class FrameJson
{
    /// <summary>Writes a frame's object.</summary>
    public static void Write(Utf8JsonWriter writer, ShownFrame frame)
    {
        writer.WriteStartObject();
        writer.WriteNumber("number", frame.Number);
        writer.WriteString("time", TimeText.Full(frame.TimestampNanoseconds));
        writer.WriteNumber("length", frame.LengthBytes);
        if (frame.Role is { } role)
        {
            writer.WriteString("role", FrameLines.NameOf(role));
            writer.WriteBoolean("sentByLoadBalancer", frame.IsOwn);
        }

        writer.WriteString("text", frame.Text);
        if (frame.Verdict != Verdict.None)
        {
            writer.WriteString("verdict", SummaryText.NameOf(frame.Verdict));
        }

        if (frame.Reason != DropReason.None)
        {
            writer.WriteString("reason", DropReasonText.Name(frame.Reason));
            writer.WriteString("reasonText", DropReasonText.Describe(frame.Reason));
        }

        writer.WriteEndObject();
    }
}
