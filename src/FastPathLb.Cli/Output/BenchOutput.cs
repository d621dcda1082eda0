using System.Globalization;
using System.Runtime.InteropServices;
using FastPathLb.Cli.Running;

namespace FastPathLb.Cli.Output;

/// <summary>Measured rows as text and as JSON.</summary>
internal static class BenchOutput
{
    /// <summary>A table, with what it was measured on.</summary>
    public static void WriteText(TextWriter output, IReadOnlyList<BenchRow> rows)
    {
        TextTable table = new("", ">connections", ">workers", ">ns/frame", ">median", ">Mpps");
        foreach (BenchRow row in rows)
        {
            table.Add(
                row.What, NumberText.Of(row.Connections), NumberText.Of(row.Workers), Number(row.LeastNanoseconds),
                Number(row.MedianNanoseconds), (row.FramesPerSecond / 1e6).ToString("F2", CultureInfo.InvariantCulture));
        }

        table.Write(output);
        output.WriteLine();
        output.WriteLine("64-byte TCP frames in VXLAN, the whole path. ns/frame: processor time of one worker, making the frames not");
        output.WriteLine("counted, least and median of three runs; file to file: time on the clock. Mpps: of all workers, by the least.");
        output.WriteLine(Machine);
    }

    /// <summary>One document.</summary>
    public static void WriteJson(TextWriter output, IReadOnlyList<BenchRow> rows)
    {
        using JsonOutput json = new(output);
        json.Writer.WriteStartObject();
        json.Writer.WriteString("machine", Machine);
        json.Writer.WriteStartArray("rows");
        foreach (BenchRow row in rows)
        {
            json.Writer.WriteStartObject();
            json.Writer.WriteString("what", row.What);
            json.Writer.WriteNumber("connections", row.Connections);
            json.Writer.WriteNumber("workers", row.Workers);
            json.Writer.WriteNumber("nanosecondsPerFrame", Math.Round(row.LeastNanoseconds, 2));
            json.Writer.WriteNumber("nanosecondsPerFrameMedian", Math.Round(row.MedianNanoseconds, 2));
            json.Writer.WriteNumber("framesPerSecond", Math.Round(row.FramesPerSecond));
            json.Writer.WriteEndObject();
        }

        json.Writer.WriteEndArray();
        json.Writer.WriteEndObject();
        json.End();
    }

    private static string Machine =>
        $"{ProcessorName}, {Environment.ProcessorCount} processors, {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}";

    private static string ProcessorName
    {
        get
        {
            const string Known = "/proc/cpuinfo";
            const string Name = "model name";
            string? line = File.Exists(Known)
                ? File.ReadLines(Known).FirstOrDefault(line => line.StartsWith(Name, StringComparison.Ordinal))
                : null;
            return line is null ? RuntimeInformation.ProcessArchitecture.ToString() : line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
        }
    }

    private static string Number(double value) => value.ToString("F1", CultureInfo.InvariantCulture);
}
