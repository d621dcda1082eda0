namespace FastPathLb.Live.Tests.Lab;

/// <summary>A folder that goes with the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("fastpathlb").FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    /// <summary>Writes a file; never half of it, so that a watching reader sees the old or the new one.</summary>
    public string Write(string name, string text)
    {
        string fresh = this[$"{name}.new"];
        File.WriteAllText(fresh, text);
        File.Move(fresh, this[name], overwrite: true);
        return this[name];
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
