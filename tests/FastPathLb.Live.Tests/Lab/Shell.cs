using System.Diagnostics;

namespace FastPathLb.Live.Tests.Lab;

/// <summary>Runs programs.</summary>
internal static class Shell
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    /// <summary>Runs a program to its end, which has to be a good one.</summary>
    public static string Run(params string[] words)
    {
        ShellResult result = TryRun(words);
        return result.Code == 0
            ? result.Output
            : throw new InvalidOperationException($"{string.Join(' ', words)}: exit code {result.Code}: {result.Error.Trim()} {result.Output.Trim()}");
    }

    /// <summary>Runs a program to its end.</summary>
    public static ShellResult TryRun(params string[] words)
    {
        using Process process = Start(words);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(s_patience))
        {
            process.Kill(entireProcessTree: true);
            throw new InvalidOperationException($"{string.Join(' ', words)}: did not end within {s_patience.TotalSeconds} s");
        }

        return new ShellResult(process.ExitCode, output.Result, error.Result);
    }

    /// <summary>Starts a program.</summary>
    public static Process Start(params string[] words)
    {
        ProcessStartInfo start = new(words[0], words[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["PATH"] = $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin";
        return Process.Start(start)!;
    }
}
