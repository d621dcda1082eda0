using FastPathLb.Cli.Input;
using FastPathLb.Cli.Options;
using FastPathLb.Cli.Output;
using FastPathLb.Engine.Building;
using FastPathLb.Engine.Replaying;
using FastPathLb.Engine.Verifying;
using FastPathLb.Io.Captures;
using FastPathLb.Pipeline;

namespace FastPathLb.Cli.Running;

/// <summary>Runs a planned replay.</summary>
internal static class ReplayRunner
{
    /// <summary>Where the load balancer sent none of so many frames, the capture is of one direction and tells no more.</summary>
    private const int FramesLookedAtMax = 10_000;

    /// <summary>From here on a second thread for the files is worth being started.</summary>
    private const long ReadAheadBytesMin = 4 * 1024 * 1024;

    /// <summary>Runs to the end of the capture, or until told to stop.</summary>
    public static ReplaySummary Run(ReplayPlan plan, BuiltLoadBalancer built, CommandConsole console, ReplayHooks hooks)
    {
        CaptureReader reader = plan.Input.Reader;
        bool isWatched = plan.ShowsProgress && ProgressBar.IsWorthwhile(plan.Input);
        RecordingHints hints = plan.UsesHints && IsRecording(plan.Input, built)
            ? isWatched ? ProgressBar.Look(console, plan.Input, FindHints) : FindHints(null)
            : RecordingHints.None;
        RoundRobinStart start = plan.InfersStart && StartInference.IsNeeded(built, hints)
            ? StartInference.Find(plan.Node, plan.Balancer, plan.Input.OpenAnew, hints, plan.Events, hooks.Stopping)
            : RoundRobinStart.AsListed;
        return isWatched
            ? ProgressBar.Run(console, plan.Input, tick => Make(hooks.AfterBatch + tick).Run(reader, hooks.Sink, hooks.Stopping))
            : Make(hooks.AfterBatch).Run(reader, hooks.Sink, hooks.Stopping);

        RecordingHints FindHints(Action<CaptureReader>? tick)
        {
            using CaptureReader anew = plan.Input.OpenAnew();
            return RecordingHints.Infer(anew, built.Balancer, tick is null ? null : () => tick(anew), hooks.Stopping);
        }

        Replay Make(Action<FrameBatch>? afterBatch) => new(built)
        {
            Workers = hooks.Workers,
            Processors = plan.Processors,
            Hints = hints,
            RoundRobinStart = start,
            Events = plan.Events,
            Checkpoints = plan.Checkpoints,
            StateDirectory = plan.StateFolder,
            AtCheckpoint = hooks.AtCheckpoint,
            OwnFrames = hooks.OwnFrames,
            BeforeBatch = hooks.BeforeBatch,
            AfterBatch = afterBatch,
            ReadsAhead = hooks.BeforeBatch is null && plan.Input.IsFile && plan.Input.EstimatedBytes >= ReadAheadBytesMin,
        };
    }

    // A recording of both directions tells what dumps cannot; what cannot be read twice is taken as it is.
    private static bool IsRecording(CaptureInput input, BuiltLoadBalancer built) =>
        input.IsFile && input.EstimatedBytes <= RecordingHints.CaptureBytesMax && HasOwnFrames(input, built);

    private static bool HasOwnFrames(CaptureInput input, BuiltLoadBalancer built)
    {
        bool found = false;
        int left = FramesLookedAtMax;
        input.Peek((in CapturedFrame frame) =>
        {
            found = frame.LinkType == LinkType.Ethernet && built.Balancer.IsOwn(frame.Data);
            return !found && --left > 0;
        });
        return found;
    }
}
