using FastPathLb.Cli.Options;
using FastPathLb.Cli.Output;
using FastPathLb.Cli.Running;

namespace FastPathLb.Cli.Commands;

/// <summary><c>replay</c> and <c>verify</c> at the attach point <c>node</c>: captures of a node through the whole of it.</summary>
internal static class NodeCommand
{
    /// <summary>Replays.</summary>
    public static int Replay(ReplayArguments typed, CommandConsole console)
    {
        using NodeRun run = NodeRun.Open(typed, isVerifying: false, console);
        run.Run(console);
        Write(run, typed.IsJson, 0, console);
        return ExitCode.Success;
    }

    /// <summary>Replays and compares.</summary>
    public static int Verify(ReplayArguments typed, int first, CommandConsole console)
    {
        using NodeRun run = NodeRun.Open(typed, isVerifying: true, console);
        run.Run(console);
        Write(run, typed.IsJson, first, console);
        return run.IsSame ? ExitCode.Success : ExitCode.Different;
    }

    private static void Write(NodeRun run, bool isJson, int first, CommandConsole console)
    {
        if (isJson)
        {
            NodeJson.Write(console.Out, run);
        }
        else
        {
            NodeText.Write(console.Out, run, first);
        }
    }
}
