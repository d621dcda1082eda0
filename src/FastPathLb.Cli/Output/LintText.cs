using FastPathLb.Topology;

namespace FastPathLb.Cli.Output;

/// <summary>What was found on a node, for people.</summary>
internal static class LintText
{
    private const int WidthMax = 110;

    /// <summary>Writes findings.</summary>
    public static void Write(TextWriter writer, IReadOnlyList<LintFinding> findings, bool hasCapture)
    {
        foreach (LintFinding finding in findings)
        {
            writer.WriteLine($"{WordOf(finding.Check.Severity)} {finding.Check.Name}: {finding.What}");
            writer.WriteLine($"  where   {finding.Place}");
            WriteWrapped(writer, "  means   ", finding.Check.Meaning);
            WriteWrapped(writer, "  remedy  ", finding.Check.Remedy);
            writer.WriteLine();
        }

        string looked = $"{Linter.Checks.Count} things were looked "
            + $"for{(hasCapture ? "" : "; those that only traffic shows want a CAPTURE")}";
        writer.WriteLine(findings.Count switch
        {
            0 => $"Nothing found. {looked}.",
            1 => $"1 found. {looked}.",
            _ => $"{findings.Count} found. {looked}.",
        });
    }

    /// <summary>Writes what is looked for.</summary>
    public static void WriteChecks(TextWriter writer)
    {
        TextTable table = new("Check", "", "means");
        foreach (LintCheck check in Linter.Checks)
        {
            table.Add(check.Name, WordOf(check.Severity), check.Meaning);
        }

        table.Write(writer);
    }

    /// <summary>A severity's word.</summary>
    public static string WordOf(LintSeverity severity) => severity == LintSeverity.Fault ? "fault" : "risk";

    private static void WriteWrapped(TextWriter writer, string head, string text)
    {
        string line = head;
        bool isBegun = false;
        foreach (string word in text.Split(' '))
        {
            if (isBegun && line.Length + word.Length + 1 > WidthMax)
            {
                writer.WriteLine(line);
                line = new string(' ', head.Length);
                isBegun = false;
            }

            line = isBegun ? $"{line} {word}" : line + word;
            isBegun = true;
        }

        writer.WriteLine(line);
    }
}
