using System.Diagnostics.CodeAnalysis;
using FastPathLb.Cli.Commands;
using FastPathLb.NodeState;

namespace FastPathLb.Cli;

/// <summary>The program: arguments in, exit code out. The only place that catches.</summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        using StopSignal stop = StopSignal.Listen();
        return Run(args, CommandConsole.Standard(stop));
    }

    /// <summary>Runs one command line.</summary>
    /// <returns>One of <see cref="ExitCode"/>'s.</returns>
    [SuppressMessage("Design", "CA1031", Justification = "What is caught last is a mistake of the program's own, and is shown whole.")]
    internal static int Run(IReadOnlyList<string> args, CommandConsole console)
    {
        try
        {
            int code = CommandTree.Run(args, console);
            console.Out.Flush();
            return console.Stop.IsRaised ? console.Stop.ExitCode : code;
        }
        catch (Exception exception) when (IsBrokenPipe(exception))
        {
            // Who read our output has read enough, as head does.
            return ExitCode.Success;
        }
        catch (Exception) when (console.Stop.IsRaised)
        {
            return console.Stop.ExitCode;
        }
        catch (Exception exception) when (Explain(exception) is { } line)
        {
            console.Error.WriteLine($"fastpathlb: {line}");
            return ExitCode.BadInput;
        }
        catch (Exception exception)
        {
            console.Error.WriteLine($"fastpathlb: a mistake of the program's own, please report it: {exception}");
            return ExitCode.InternalError;
        }
    }

    /// <summary>Runs one of several pieces of work that are to go on without it when it fails by its input.</summary>
    /// <param name="work">The work.</param>
    /// <param name="problem">One line that says what is wrong with its input, or null.</param>
    /// <returns>The result, or null where there is a problem.</returns>
    internal static T? Attempt<T>(Func<T> work, out string? problem)
        where T : class
    {
        try
        {
            problem = null;
            return work();
        }
        catch (Exception exception) when (Explain(exception) is { } line)
        {
            problem = line;
            return null;
        }
    }

    /// <summary>One line on what is wrong with the input, or null where it is not the input that is wrong.</summary>
    private static string? Explain(Exception exception) => exception switch
    {
        UsageException or NodeStateException or IOException or UnauthorizedAccessException => OneLine(exception.Message),

        // The engine's own checks of what a dump or an option asks for: schedulers by name, capacities.
        ArgumentException argument => OneLine(WithoutParameter(argument)),
        OutOfMemoryException => "there is not enough memory for that many connections (--capacity)",
        _ => null,
    };

    private static string WithoutParameter(ArgumentException exception)
    {
        int end = exception.ParamName is null
            ? -1
            : exception.Message.IndexOf($" (Parameter '{exception.ParamName}')", StringComparison.Ordinal);
        return end < 0 ? exception.Message : exception.Message[..end];
    }

    private static string OneLine(string message) => message.ReplaceLineEndings(" ");

    private static bool IsBrokenPipe(Exception? exception)
    {
        const int BrokenPipe = 32;
        while (exception is not null)
        {
            if (exception is IOException { HResult: BrokenPipe })
            {
                return true;
            }

            exception = exception.InnerException;
        }

        return false;
    }
}
