using FastPathLb.Cli.Input;
using FastPathLb.Io.Captures;
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

    /// <summary>Looks through the capture before the run.</summary>
    /// <param name="console">Where errors go.</param>
    /// <param name="input">What is looked through.</param>
    /// <param name="work">The look; it calls what it is given after each frame.</param>
    public static T Look<T>(CommandConsole console, CaptureInput input, Func<Action<CaptureReader>, T> work)
    {
        // Of a compressed file it is not known how much comes out of it.
        long? length = input.EstimatedBytes == input.LengthBytes ? input.LengthBytes : null;
        return Watch(console, $"looking through {input.Name}", length, set => work(reader => set(reader.PositionBytes)));
    }

    /// <summary>Runs some work.</summary>
    /// <param name="console">Where errors go.</param>
    /// <param name="input">What is read.</param>
    /// <param name="work">The work; it calls what it is given after each batch.</param>
    public static T Run<T>(CommandConsole console, CaptureInput input, Func<Action<FrameBatch>, T> work) =>
        Watch(console, input.Name, input.LengthBytes, set => work(_ => set(input.PositionBytes)));

    private static T Watch<T>(CommandConsole console, string name, long? lengthBytes, Func<Action<long>, T> work)
    {
        IAnsiConsole terminal = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(console.Error) });
        Progress progress = terminal.Progress().AutoClear(true).Columns(ColumnsFor(lengthBytes));
        return progress.Start(context =>
        {
            ProgressTask task = context.AddTask(Markup.Escape(name), maxValue: lengthBytes ?? 1);
            task.IsIndeterminate = lengthBytes is null;
            long shown = 0;
            return work(position =>
            {
                if (Environment.TickCount64 - shown >= IntervalMilliseconds)
                {
                    shown = Environment.TickCount64;
                    task.Value = lengthBytes is null ? 0 : position;
                }
            });
        });
    }

    private static ProgressColumn[] ColumnsFor(long? lengthBytes) => lengthBytes is null
        ? [new TaskDescriptionColumn(), new SpinnerColumn(), new ElapsedTimeColumn()]
        : [new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new DownloadedColumn(), new RemainingTimeColumn()];
}
