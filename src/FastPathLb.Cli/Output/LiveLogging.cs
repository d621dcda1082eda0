using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace FastPathLb.Cli.Output;

/// <summary>Where a live run tells what it does: standard error, one line an event, never one a frame.</summary>
internal static class LiveLogging
{
    /// <summary>Makes the factory.</summary>
    /// <param name="level">debug, info, warning or error; null is info.</param>
    /// <param name="isJson">Whether lines are JSON documents.</param>
    public static ILoggerFactory Create(string? level, bool isJson) => LoggerFactory.Create(builder =>
    {
        builder.SetMinimumLevel(level switch
        {
            "debug" => LogLevel.Debug,
            "warning" => LogLevel.Warning,
            "error" => LogLevel.Error,
            _ => LogLevel.Information,
        });
        builder.AddConsole(options =>
        {
            options.LogToStandardErrorThreshold = LogLevel.Trace;
            options.FormatterName = isJson ? ConsoleFormatterNames.Json : ConsoleFormatterNames.Simple;
        });
        builder.AddSimpleConsole(options =>
        {
            options.SingleLine = true;
            options.TimestampFormat = "HH:mm:ss.fff ";
        });
        if (isJson)
        {
            builder.AddJsonConsole(options =>
            {
                options.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ";
                options.UseUtcTimestamp = true;
            });
        }
    });
}
