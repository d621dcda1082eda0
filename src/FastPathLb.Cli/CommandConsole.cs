using System.Text;

namespace FastPathLb.Cli;

/// <summary>What a command reads and writes besides files: the process's own streams, or a test's.</summary>
internal sealed class CommandConsole
{
    private static readonly UTF8Encoding s_encoding = new(encoderShouldEmitUTF8Identifier: false);

    /// <summary>Results.</summary>
    public required TextWriter Out { get; init; }

    /// <summary>Errors and progress.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>Asks to stop.</summary>
    public required StopSignal Stop { get; init; }

    /// <summary>Opens standard input, for a capture named <c>-</c>.</summary>
    public Func<Stream> OpenInput { get; init; } = () => Stream.Null;

    /// <summary>Opens standard output as bytes, for a capture named <c>-</c>.</summary>
    public Func<Stream> OpenOutput { get; init; } = () => Stream.Null;

    /// <summary>Whether errors go to a terminal, where progress can be shown.</summary>
    public bool IsErrorTerminal { get; init; }

    /// <summary>Where the user is: from here upwards a capture is looked for that shows what the program does.</summary>
    public string WorkingFolder { get; init; } = FindWorkingFolder();

    /// <summary>The process's own.</summary>
    public static CommandConsole Standard(StopSignal stop) => new()
    {
        // Lines to a terminal appear at once; to a file or pipe they are collected.
        Out = new StreamWriter(StandardStreams.OpenOutput(), s_encoding) { AutoFlush = !Console.IsOutputRedirected },
        Error = TextWriter.Synchronized(new StreamWriter(Console.OpenStandardError(), s_encoding) { AutoFlush = true }),
        Stop = stop,
        OpenInput = Console.OpenStandardInput,
        OpenOutput = StandardStreams.OpenOutput,
        IsErrorTerminal = !Console.IsErrorRedirected,
    };

    // A folder that was removed under a shell is no reason to fail: only the first run looks there.
    private static string FindWorkingFolder()
    {
        try
        {
            return Environment.CurrentDirectory;
        }
        catch (IOException)
        {
            return Path.GetTempPath();
        }
    }
}
