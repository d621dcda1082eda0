using System.Globalization;
using FastPathLb.Workload;

namespace FastPathLb.Benchmarks.Peers;

/// <summary>One run of a whole program, as <c>compare/processes.sh</c> prints it: <c>process NAME CLOCK USER KERNEL</c>, in seconds.</summary>
/// <param name="Program">Who: "cp", "replay", "small", "empty".</param>
/// <param name="Clock">From its start to its end.</param>
/// <param name="User">Processor time of its own.</param>
/// <param name="Kernel">Processor time of the kernel's for it.</param>
internal sealed record ProcessRow(string Program, double Clock, double User, double Kernel)
{
    /// <summary>Reads a line, or null where it is something else.</summary>
    public static ProcessRow? TryParse(string line) =>
        line.Split(' ') is ["process", string program, string clock, string user, string kernel]
            ? new ProcessRow(program, Seconds(clock), Seconds(user), Seconds(kernel))
            : null;

    /// <summary>How many times as long one program takes as another: by the least of both, and the middle of the turns' own ratios.</summary>
    public static Figures? Times(ProcessRow[] rows, string program, string other)
    {
        double[] ours = [.. rows.Where(row => row.Program == program).Select(row => row.Clock)];
        double[] others = [.. rows.Where(row => row.Program == other).Select(row => row.Clock)];
        return ours.Length == 0 || ours.Length != others.Length
            ? null
            : new Figures(ours.Min() / others.Min(), Figures.Of([.. ours.Zip(others, (mine, its) => mine / its)]).Median);
    }

    private static double Seconds(string word) => double.Parse(word, CultureInfo.InvariantCulture);
}
