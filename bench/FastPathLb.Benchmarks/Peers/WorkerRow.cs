using System.Globalization;

namespace FastPathLb.Benchmarks.Peers;

/// <summary>One line of what <c>workers</c> prints.</summary>
/// <param name="Work">"both ways" or "new connections".</param>
/// <param name="FlowCount">Connections in the table.</param>
/// <param name="WorkerCount">Workers on it.</param>
/// <param name="Times">Frames a second of all against one worker's.</param>
internal sealed record WorkerRow(string Work, int FlowCount, int WorkerCount, double Times)
{
    /// <summary>Reads a line, or null where it is something else.</summary>
    public static WorkerRow? TryParse(string line) =>
        line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [string first, string second, string flows, string workers, _, _, _, string times]
        && $"{first} {second}" is ("both ways" or "new connections") and string work
            ? new WorkerRow(
                work, int.Parse(flows, CultureInfo.InvariantCulture), int.Parse(workers, CultureInfo.InvariantCulture),
                double.Parse(times, CultureInfo.InvariantCulture))
            : null;
}
