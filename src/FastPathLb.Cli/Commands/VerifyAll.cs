using System.Diagnostics;
using System.Globalization;
using FastPathLb.Cli.Options;
using FastPathLb.Cli.Output;
using FastPathLb.Cli.Running;
using static FastPathLb.Cli.Output.NumberText;

namespace FastPathLb.Cli.Commands;

/// <summary><c>verify --all</c>: every recording below a folder, several at a time, one line each.</summary>
internal static class VerifyAll
{
    /// <summary>Runs them all.</summary>
    /// <returns>2 where the files of any are wrong, else 1 where any differs, else 0.</returns>
    public static int Run(ReplayArguments typed, string root, int first, CommandConsole console)
    {
        Recording[] recordings =
            [.. Recording.FindBelow(root).Where(recording => typed.Attach is null || recording.Attach == typed.Attach)];
        OutcomeLines? lines = typed.IsJson ? null : new OutcomeLines(console.Out, recordings);
        RecordingOutcome?[] outcomes = new RecordingOutcome?[recordings.Length];
        long began = Stopwatch.GetTimestamp();
        Parallel.For(0, recordings.Length, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, index =>
        {
            if (!console.Stop.IsRaised)
            {
                RecordingOutcome outcome = Verify(typed, recordings[index], console);
                outcomes[index] = outcome;
                lines?.Put(index, outcome);
            }
        });
        RecordingOutcome[] done = [.. outcomes.OfType<RecordingOutcome>()];
        int bad = done.Count(outcome => outcome.Problem is not null);
        int different = done.Count(outcome => outcome is { Problem: null, Result.IsSame: false });
        int same = done.Count(outcome => outcome is { Problem: null, Result.IsSame: true });
        if (typed.IsJson)
        {
            VerifyJson.WriteAll(console.Out, done, first);
        }
        else
        {
            console.Out.WriteLine();
            console.Out.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{recordings.Length} recordings in {Of(Stopwatch.GetElapsedTime(began))}: {same} the same, {different} different, "
                + $"{bad} with wrong files, {recordings.Length - same - different - bad} left out"));
        }

        return bad > 0 ? ExitCode.BadInput : different > 0 ? ExitCode.Different : ExitCode.Success;
    }

    private static RecordingOutcome Verify(ReplayArguments typed, Recording recording, CommandConsole console)
    {
        long began = Stopwatch.GetTimestamp();
        ReplayArguments one = typed with { Input = recording.Path, Attach = recording.Attach, HidesProgress = true };
        RecordingOutcome? outcome = Program.Attempt(() => Verify(one, recording, began, console), out string? problem);
        return outcome ?? new RecordingOutcome(recording, Stopwatch.GetElapsedTime(began)) { Problem = problem };
    }

    private static RecordingOutcome Verify(ReplayArguments typed, Recording recording, long began, CommandConsole console)
    {
        using ReplayPlan plan = ReplayPlanner.Plan(typed, console, usesRecording: true);
        if (LocalTasks.ReasonAgainst(plan) is { } reason)
        {
            return new RecordingOutcome(recording, Stopwatch.GetElapsedTime(began)) { LeftOut = reason };
        }

        VerifyResult result = VerifyRunner.Run(plan, console);
        if (result.Replay.IsStopped)
        {
            return new RecordingOutcome(recording, Stopwatch.GetElapsedTime(began))
            {
                LeftOut = "stopped before the capture's end, no verdict",
            };
        }

        return new RecordingOutcome(recording, Stopwatch.GetElapsedTime(began))
        {
            Result = result,
            Problem = result.Replay.Summary.CaptureDamage,
        };
    }
}
