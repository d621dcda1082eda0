namespace FastPathLb.Cli.Tests;

internal sealed class TemporaryFolder : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("fastpathlb-cli-").FullName;

    public string this[string name] => Path.Combine(Root, name);

    public string Write(string name, byte[] data)
    {
        File.WriteAllBytes(this[name], data);
        return this[name];
    }

    public string Write(string name, string text)
    {
        File.WriteAllText(this[name], text);
        return this[name];
    }

    /// <summary>A recording's dumps and tables without its captures, to be changed.</summary>
    public string CopyDumps(string recording, string name = "node")
    {
        Directory.CreateDirectory(this[name]);
        foreach (string file in Directory.GetFiles(CapturesFolder.Folder(recording), "*.txt"))
        {
            File.Copy(file, Path.Combine(this[name], Path.GetFileName(file)));
        }

        return this[name];
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
