using Microsoft.Win32.SafeHandles;

namespace FastPathLb.Cli;

/// <summary>Standard output as it is needed here: a reader that goes away must be noticed.</summary>
internal static class StandardStreams
{
    private const int OutputDescriptor = 1;

    /// <summary>Opens standard output.</summary>
    /// <remarks>
    /// The console's own stream passes over a broken pipe in silence, and the program would go on for nobody. A file stream says so, but
    /// would begin a file at its start although a program before wrote to it: so each where it is right.
    /// </remarks>
    public static Stream OpenOutput()
    {
        if (OperatingSystem.IsWindows() || !Console.IsOutputRedirected)
        {
            return Console.OpenStandardOutput();
        }

        var stream = new FileStream(new SafeFileHandle(OutputDescriptor, ownsHandle: false), FileAccess.Write, bufferSize: 0);
        return stream.CanSeek ? Console.OpenStandardOutput() : stream;
    }
}
