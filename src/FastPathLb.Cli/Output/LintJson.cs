using System.Text.Json;
using FastPathLb.Topology;

namespace FastPathLb.Cli.Output;

/// <summary>What was found on a node, as JSON.</summary>
internal static class LintJson
{
    /// <summary>Writes findings.</summary>
    public static void Write(TextWriter output, IReadOnlyList<LintFinding> findings)
    {
        using JsonOutput json = new(output);
        json.Writer.WriteStartObject();
        json.Writer.WriteNumber("checks", Linter.Checks.Count);
        json.Writer.WriteStartArray("findings");
        foreach (LintFinding finding in findings)
        {
            json.Writer.WriteStartObject();
            WriteCheck(json.Writer, finding.Check);
            json.Writer.WriteString("what", finding.What);
            json.Writer.WriteString("file", finding.Place.File);
            if (finding.Place.Line > 0)
            {
                json.Writer.WriteNumber("line", finding.Place.Line);
            }
            else
            {
                json.Writer.WriteNull("line");
            }

            json.Writer.WriteEndObject();
        }

        json.Writer.WriteEndArray();
        json.Writer.WriteEndObject();
        json.End();
    }

    /// <summary>Writes what is looked for.</summary>
    public static void WriteChecks(TextWriter output)
    {
        using JsonOutput json = new(output);
        json.Writer.WriteStartArray();
        foreach (LintCheck check in Linter.Checks)
        {
            json.Writer.WriteStartObject();
            WriteCheck(json.Writer, check);
            json.Writer.WriteEndObject();
        }

        json.Writer.WriteEndArray();
        json.End();
    }

    private static void WriteCheck(Utf8JsonWriter writer, LintCheck check)
    {
        writer.WriteString("check", check.Name);
        writer.WriteString("severity", LintText.WordOf(check.Severity));
        writer.WriteString("means", check.Meaning);
        writer.WriteString("remedy", check.Remedy);
    }
}
