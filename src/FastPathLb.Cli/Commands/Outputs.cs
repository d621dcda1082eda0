using FastPathLb.Cli.Input;
using FastPathLb.Cli.Options;
using FastPathLb.Io.Captures;

namespace FastPathLb.Cli.Commands;

/// <summary>Opens what a command writes to.</summary>
internal static class Outputs
{
    /// <summary>The capture for emitted frames, or null where none is asked for.</summary>
    /// <remarks>The input is opened first, so that it cannot be overwritten.</remarks>
    public static CaptureWriter? Create(ReplayPlan plan, CommandConsole console)
    {
        _ = plan.Input.Reader;
        return plan.Output switch
        {
            null => null,
            CaptureInput.StandardInput => CaptureWriter.Create(console.OpenOutput(), "standard output", new CaptureWriterOptions()),
            _ => CaptureWriter.Create(plan.Output),
        };
    }
}
