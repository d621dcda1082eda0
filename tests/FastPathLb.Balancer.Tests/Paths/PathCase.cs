using System.Globalization;
using System.Text;
using FastPathLb.Pipeline;
using FastPathLb.TestKit;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Tests.Paths;

/// <summary>A row of a path table: a description, a Swarm in small, and steps.</summary>
internal sealed class PathCase
{
    public PathCase(string description, params PathStep[] steps)
        : this(description, new SmallSwarm(), steps)
    {
    }

    public PathCase(string description, SmallSwarm swarm, params PathStep[] steps)
    {
        Description = description;
        Swarm = swarm;
        Steps = steps;
    }

    public string Description { get; }

    public SmallSwarm Swarm { get; }

    public IReadOnlyList<PathStep> Steps { get; }

    /// <summary>Reasons that the case expects.</summary>
    public IEnumerable<DropReason> Reasons => Steps.Where(step => step.Command is null).Select(step => step.Reason);

    /// <summary>Runs the case.</summary>
    /// <returns>What was not as expected, or null.</returns>
    public string? Run()
    {
        using TestBalancer balancer = new(Swarm);
        for (int index = 0; index < Steps.Count; index++)
        {
            PathStep step = Steps[index];
            if (step.After > 0)
            {
                balancer.Wait(step.After);
            }

            if (step.Command is { } command)
            {
                if (balancer.Run(command) is { } problem)
                {
                    return $"step {index + 1}: {command}: {problem}";
                }

                continue;
            }

            Sent sent = balancer.Send([.. step.Frame], step.WireLengthBytes);
            byte[][] expected =
                [.. step.Out.Select((item, place) => item.Make(place < sent.Frames.Count ? sent.Frames[place] : null))];
            string? difference = FrameText.Difference(expected, sent.Frames);
            if (difference is not null || sent.Verdict != step.Verdict || sent.Reason != step.Reason)
            {
                return Describe(index, step, sent, difference);
            }
        }

        return null;
    }

    private string Describe(int index, PathStep step, Sent sent, string? difference)
    {
        StringBuilder text = new();
        text.AppendLine(CultureInfo.InvariantCulture, $"{Description}, step {index + 1} of {Steps.Count}");
        text.AppendLine(CultureInfo.InvariantCulture, $"in:       {FramePrinter.Print(step.Frame)}");
        text.AppendLine(CultureInfo.InvariantCulture, $"expected: {step.Verdict}, {step.Reason}");
        text.AppendLine(CultureInfo.InvariantCulture, $"was:      {sent.Verdict}, {sent.Reason}");
        return text.Append(difference).ToString();
    }
}
