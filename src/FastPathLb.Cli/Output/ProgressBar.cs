using FastPathLb.Cli.Input;
using FastPathLb.Pipeline;
using Spectre.Console;

namespace FastPathLb.Cli.Output;

/// <summary>Shows on a terminal how far into the capture a run is; gone when it ends.</summary>
internal static class ProgressBar
{
    private const long LengthBytesMin = 4 * 1024 * 1024;
    private const int IntervalMilliseconds = 100;

    /// <summary>Whether a run takes long enough to be watched.</summary>
    public static bool IsWorthwhile(CaptureInput input) => input.LengthBytes is null or >= LengthBytesMin;

    /// <summary>Runs some work.</summary>
    /// <param name="console">Where errors go.</param>
    /// <param name="input">What is read.</param>
    /// <param name="work">The work; it calls what it is given after each batch.</param>
    public static T Run<T>(CommandConsole console, CaptureInput input, Func<Action<FrameBatch>, T> work)
    {
        IAnsiConsole terminal = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(console.Error) });
        Progress progress = terminal.Progress().AutoClear(true).Columns(ColumnsFor(input));
        return progress.Start(context =>
        {
            ProgressTask task = context.AddTask(Markup.Escape(input.Name), maxValue: input.LengthBytes ?? 1);
            task.IsIndeterminate = input.LengthBytes is null;
            long shown = 0;
            return work(_ =>
            {
                if (Environment.TickCount64 - shown >= IntervalMilliseconds)
                {
                    shown = Environment.TickCount64;
                    task.Value = input.LengthBytes is null ? 0 : input.PositionBytes;
                }
            });
        });
    }

    private static ProgressColumn[] ColumnsFor(CaptureInput input) => input.LengthBytes is null
        ? [new TaskDescriptionColumn(), new SpinnerColumn(), new ElapsedTimeColumn()]
        : [new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new DownloadedColumn(), new RemainingTimeColumn()];
}
