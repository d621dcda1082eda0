using System.Text.RegularExpressions;
using FastPathLb.Io.Captures;
using FastPathLb.TestKit;

namespace FastPathLb.Topology.Tests;

/// <summary>A copy of a recording's dumps in which something is made wrong.</summary>
internal sealed class SeededNode : IDisposable
{
    public SeededNode(string recording)
    {
        foreach (
            string file in Directory.GetFiles(Recordings.PathOf(recording)).Where(file => file.EndsWith(".txt") || file.EndsWith(".json")))
        {
            File.Copy(file, Path.Combine(Folder, Path.GetFileName(file)));
        }
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("fastpathlb-lint-").FullName;

    /// <summary>Replaces what a pattern matches in a file; it must be there.</summary>
    public SeededNode Change(string file, string pattern, string replacement)
    {
        string path = Path.Combine(Folder, file);
        string text = File.ReadAllText(path);
        string changed = Regex.Replace(text, pattern, replacement, RegexOptions.Multiline);
        Assert.NotEqual(text, changed);
        File.WriteAllText(path, changed);
        return this;
    }

    public IReadOnlyList<LintFinding> Lint(CaptureReader? capture = null) => Linter.Run(Folder, "", capture);

    /// <summary>What is found with a capture of these frames, a second apart.</summary>
    public IReadOnlyList<LintFinding> LintWith(long gapSeconds, params byte[][] frames)
    {
        using MemoryStream stream = new();
        using (CaptureWriter writer = CaptureWriter.Create(stream, "seeded", new CaptureWriterOptions()))
        {
            long time = 1_795_334_000_000_000_000;
            foreach (byte[] frame in frames)
            {
                writer.Write(time, frame);
                time += gapSeconds * 1_000_000_000;
            }

            writer.Flush();
        }

        using CaptureReader reader = CaptureReader.Open(new MemoryStream(stream.ToArray()), "seeded.pcap");
        return Lint(reader);
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
