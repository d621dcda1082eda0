using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Filters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Parameters;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using Perfolizer.Horology;

namespace FastPathLb.Benchmarks;

/// <summary>The BenchmarkDotNet suites, with its own command line and <c>--quick</c>: no case above 65,536 connections.</summary>
internal static class Suites
{
    private const string Quick = "--quick";
    private const int QuickConnectionsMax = 65536;

    /// <summary>Runs what the arguments ask for.</summary>
    public static int Run(string[] arguments)
    {
        // In this process: a project that BenchmarkDotNet generates for each run would build the whole solution again.
        string[] asked = [.. arguments.Where(argument => argument != Quick), "--inProcess"];
        ManualConfig config = ManualConfig.Create(DefaultConfig.Instance)
            .AddJob(Job.Default.WithClock(new ProcessorClock()).AsMutator())
            .AddColumn(StatisticColumn.Min)
            .WithSummaryStyle(SummaryStyle.Default.WithTimeUnit(TimeUnit.Nanosecond).WithRatioStyle(RatioStyle.Value));
        if (!arguments.Contains(Quick))
        {
            config = config.AddFilter(new LargeCases(LargeCases.AvailableBytes(), Console.Error.WriteLine));
        }
        else
        {
            config = config.AddFilter(new SimpleFilter(benchmark => !benchmark.Parameters.Items.Any(IsLarge)));
        }

        Summary[] summaries = [.. BenchmarkSwitcher.FromAssembly(typeof(Suites).Assembly).Run(asked, config)];
        return arguments.Contains("--list") || (summaries.Length > 0 && summaries.All(summary => summary.Reports.All(report => report.Success))) ? 0 : 1;
    }

    private static bool IsLarge(ParameterInstance parameter) =>
        parameter.Name == "Connections" && parameter.Value is > QuickConnectionsMax;
}
