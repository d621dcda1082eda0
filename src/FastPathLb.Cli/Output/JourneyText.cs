using System.Globalization;
using FastPathLb.Balancer.Node;
using FastPathLb.Cli.Running;
using FastPathLb.Engine.Following;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Cli.Output;

/// <summary>Takes journeys as they are made.</summary>
internal interface IJourneyOutput : IDisposable
{
    /// <summary>Writes one.</summary>
    void Write(Journey journey);

    /// <summary>Writes what is to be said at the end.</summary>
    void End();
}

/// <summary>Journeys of frames for people: a line for each place.</summary>
internal sealed class JourneyText : IJourneyOutput
{
    private readonly CommandConsole _console;
    private readonly FollowRun _run;
    private readonly int _nodeWidth;

    /// <summary>Makes one; notes go to standard error first.</summary>
    public JourneyText(CommandConsole console, FollowRun run)
    {
        _console = console;
        _run = run;
        _nodeWidth = run.NodeNames.Max(name => name.Length);
        foreach (string note in run.Notes)
        {
            console.Error.WriteLine($"Note: {note}");
        }
    }

    /// <inheritdoc/>
    public void Write(Journey journey)
    {
        TextWriter writer = _console.Out;
        writer.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"frame {journey.Number}  {TimeText.Of(journey.TimestampNanoseconds)}"));
        int portWidth = journey.Lines.Max(line => line.Step.Port.Name.Length);
        foreach (JourneyLine line in journey.Lines)
        {
            string sign = line.Step.Kind switch { JourneyStepKind.Enters => "in ", JourneyStepKind.Leaves => "out", _ => "   " };
            writer.WriteLine(
                $"  {line.Node.PadRight(_nodeWidth)}  {line.Step.Port.Name.PadRight(portWidth)}  {sign}  "
                + $"{FramePrinter.Print(line.Step.Frame)}{EndOf(line)}");
        }

        writer.WriteLine();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    /// <inheritdoc/>
    public void End() => _console.Out.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"{_run.FollowedCount} frames went in; of {_run.Recorded.Count} that the capture has from the nodes' cards "
        + $"{_run.Recorded.TakenCount} were sent just so. No wire shows what tasks of one node send each other: a load balancer that they "
        + $"call answers what is for them with RST here."));

    private static string EndOf(JourneyLine line) => line switch
    {
        { Step: { Kind: JourneyStepKind.Enters, Reason: not DropReason.None } step } =>
            $"  => {SummaryText.NameOf(step.Verdict)}, {DropReasonText.Name(step.Reason)}: {DropReasonText.Describe(step.Reason)}",
        { RecordedAs: { } number } => string.Create(CultureInfo.InvariantCulture, $"  => as recorded, frame {number}"),
        _ when FollowRun.IsOnWire(line.Step) => "  => not in the capture",
        { Step: { Kind: JourneyStepKind.Leaves, Port.Kind: NodePortKind.Task } } => "  => delivered to the task",
        _ => "",
    };
}
