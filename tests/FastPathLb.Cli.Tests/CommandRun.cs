using System.Text.Json;

namespace FastPathLb.Cli.Tests;

/// <summary>One command line, run in this process, and what came of it.</summary>
internal sealed record CommandRun(int Code, string Output, string Errors, byte[] OutputBytes)
{
    public string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The one line of an error.</summary>
    public string Error => Assert.Single(Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));

    public JsonElement Json => JsonDocument.Parse(Output).RootElement;

    public static CommandRun Of(params string[] args) => With(null, null, args);

    public static CommandRun WithInput(byte[] input, params string[] args) => With(new MemoryStream(input), null, args);

    public static CommandRun With(Stream? input, StopSignal? stop, params string[] args)
    {
        using StopSignal never = new();
        using StringWriter output = new() { NewLine = "\n" };
        using StringWriter errors = new() { NewLine = "\n" };
        using MemoryStream bytes = new();
        int code = Program.Run(args, new CommandConsole
        {
            Out = output,
            Error = errors,
            Stop = stop ?? never,
            WorkingFolder = CapturesFolder.Root,
            OpenInput = () => input ?? Stream.Null,
            OpenOutput = () => bytes,
        });
        return new CommandRun(code, output.ToString(), errors.ToString(), bytes.ToArray());
    }
}
