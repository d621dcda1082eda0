using Microsoft.Extensions.Logging;

namespace FastPathLb.Live;

/// <summary>All that a running load balancer writes to its log. Never per frame.</summary>
internal static partial class LiveLog
{
    [LoggerMessage(1, LogLevel.Information, "{Kind} {Device} up, MTU {MtuBytes}; load balancer {Addresses} at the {AttachPoint}, workers: {Workers}")]
    public static partial void Started(ILogger logger, string kind, string device, int mtuBytes, string addresses, string attachPoint, int workers);

    [LoggerMessage(2, LogLevel.Information, "Stopped after {FramesIn} frames in and {FramesOut} out")]
    public static partial void Stopped(ILogger logger, long framesIn, long framesOut);

    [LoggerMessage(3, LogLevel.Warning, "{Warning}")]
    public static partial void Warning(ILogger logger, string warning);

    [LoggerMessage(4, LogLevel.Error, "Recording ended after {Frames} frames: {Problem}; the load balancer goes on")]
    public static partial void RecordingEnded(ILogger logger, string problem, long frames);

    [LoggerMessage(5, LogLevel.Error, "{Problem}")]
    public static partial void DeviceFailed(ILogger logger, string problem);

    [LoggerMessage(6, LogLevel.Information, "Reloaded {Origin}: {Changes}")]
    public static partial void Reloaded(ILogger logger, string origin, string changes);

    [LoggerMessage(7, LogLevel.Error, "Not reloaded, the old configuration stays: {Problem}")]
    public static partial void ReloadRefused(ILogger logger, string problem);

    [LoggerMessage(8, LogLevel.Information, "Control socket {Path}")]
    public static partial void ControlOpened(ILogger logger, string path);

    [LoggerMessage(9, LogLevel.Warning, "A request at the control socket failed: {Problem}")]
    public static partial void ControlFailed(ILogger logger, string problem);

    [LoggerMessage(10, LogLevel.Information, "Metrics at http://{Address}/metrics")]
    public static partial void MetricsOpened(ILogger logger, string address);

    [LoggerMessage(11, LogLevel.Information, "Command: {Command}")]
    public static partial void CommandDone(ILogger logger, string command);

    [LoggerMessage(12, LogLevel.Warning, "{Device} is down: frames are dropped until it is up")]
    public static partial void DeviceDown(ILogger logger, string device);

    [LoggerMessage(13, LogLevel.Information, "{Device} is up again")]
    public static partial void DeviceUp(ILogger logger, string device);

    [LoggerMessage(14, LogLevel.Debug, "Neighbour {Address} did not answer and is forgotten")]
    public static partial void NeighborForgotten(ILogger logger, string address);
}
