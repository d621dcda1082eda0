using FastPathLb.Cli.Commands;
using FastPathLb.Cli.Options;
using FastPathLb.Engine.Building;
using FastPathLb.Engine.Replaying;
using FastPathLb.Engine.Verifying;
using FastPathLb.Io.Captures;

namespace FastPathLb.Cli.Running;

/// <summary>Replays a recording and compares what is emitted, and the tables, with what the recording has.</summary>
internal static class VerifyRunner
{
    /// <summary>Runs to the end of the recording, or until told to stop.</summary>
    /// <exception cref="UsageException">The recording has nothing to compare with.</exception>
    public static VerifyResult Run(ReplayPlan plan, CommandConsole console)
    {
        if (plan.RecordingFolder is null || plan.Checkpoints.Count == 0 || plan.StateFolder is not null)
        {
            return RunWithFolder(plan, console);
        }

        // The tables are compared as they are printed.
        string folder = Directory.CreateTempSubdirectory("fastpathlb-verify-").FullName;
        try
        {
            return RunWithFolder(plan with { StateFolder = folder }, console);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static VerifyResult RunWithFolder(ReplayPlan plan, CommandConsole console)
    {
        using BuiltLoadBalancer built = LoadBalancerBuilder.Build(plan.Node, plan.Balancer);
        using CaptureWriter? writer = Outputs.Create(plan, console);
        CaptureSink sink = new(writer);
        FrameComparison frames = new(plan.Balancer.AttachPoint);
        List<string> reached = [];
        ReplaySummary summary = ReplayRunner.Run(plan, built, console, new ReplayHooks
        {
            Sink = new ComparingSink(sink, frames),
            OwnFrames = frames.AddExpected,
            AtCheckpoint = checkpoint => reached.Add(checkpoint.Tag),
            Stopping = console.Stop.Token,
        });
        StateVerdict? tables = CompareTables(plan, reached);
        if (summary.OwnFrameCount == 0 && tables is null && !console.Stop.IsRaised)
        {
            throw new UsageException(
                $"{plan.Input.Name}: holds no frame that the load balancer sent, so there is nothing to compare with (is --attach right?)");
        }

        return new VerifyResult(new ReplayResult(plan, summary, sink, console.Stop.IsRaised), frames.Compare(), tables);
    }

    private static StateVerdict? CompareTables(ReplayPlan plan, IReadOnlyList<string> reached)
    {
        if (plan.RecordingFolder is null || plan.StateFolder is null)
        {
            return null;
        }

        StateVerdict verdict = StateComparison.Compare(plan.RecordingFolder, plan.StateFolder, reached);
        return verdict.Tags.Count > 0 ? verdict : null;
    }
}
