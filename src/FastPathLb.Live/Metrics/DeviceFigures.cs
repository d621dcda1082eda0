using FastPathLb.Live.Devices;

namespace FastPathLb.Live.Metrics;

/// <summary>A device's figures at one moment, of one worker's queue or of all.</summary>
/// <param name="FramesIn">Frames received.</param>
/// <param name="BytesIn">Bytes received.</param>
/// <param name="FramesOut">Frames sent.</param>
/// <param name="BytesOut">Bytes sent.</param>
/// <param name="DownDrops">Not sent: the interface was down.</param>
/// <param name="QueueFullDrops">Not sent: its queue was full.</param>
/// <param name="TooLongDrops">Not sent: longer than the MTU allows.</param>
/// <param name="ReceiveDrops">Dropped by the kernel before they could be received.</param>
public readonly record struct DeviceFigures(
    long FramesIn, long BytesIn, long FramesOut, long BytesOut, long DownDrops, long QueueFullDrops, long TooLongDrops, long ReceiveDrops)
{
    /// <summary>Copies counters.</summary>
    public static DeviceFigures Of(DeviceCounters counters) => new(
        counters.FramesIn, counters.BytesIn, counters.FramesOut, counters.BytesOut, counters.DownDrops, counters.QueueFullDrops,
        counters.TooLongDrops, counters.ReceiveDrops);

    /// <summary>Both together.</summary>
    public static DeviceFigures operator +(DeviceFigures left, DeviceFigures right) => new(
        left.FramesIn + right.FramesIn, left.BytesIn + right.BytesIn, left.FramesOut + right.FramesOut, left.BytesOut + right.BytesOut,
        left.DownDrops + right.DownDrops, left.QueueFullDrops + right.QueueFullDrops, left.TooLongDrops + right.TooLongDrops,
        left.ReceiveDrops + right.ReceiveDrops);

    /// <summary>Both together.</summary>
    public static DeviceFigures Add(DeviceFigures left, DeviceFigures right) => left + right;
}
