namespace FastPathLb.Live.Devices;

/// <summary>What passed a device. Written by the device's worker alone; a reader on another thread sees each number as it once was.</summary>
public sealed class DeviceCounters
{
    /// <summary>Frames received.</summary>
    public long FramesIn { get; internal set; }

    /// <summary>Bytes received, Ethernet headers included.</summary>
    public long BytesIn { get; internal set; }

    /// <summary>Frames sent.</summary>
    public long FramesOut { get; internal set; }

    /// <summary>Bytes sent, Ethernet headers included.</summary>
    public long BytesOut { get; internal set; }

    /// <summary>Frames that were not sent since the interface was down or gone.</summary>
    public long DownDrops { get; internal set; }

    /// <summary>Frames that were not sent since the queue towards the interface was full.</summary>
    public long QueueFullDrops { get; internal set; }

    /// <summary>Frames that were not sent since they are longer than the interface's MTU allows.</summary>
    public long TooLongDrops { get; internal set; }

    /// <summary>Frames that the kernel dropped before they could be received: the receive queue was full.</summary>
    public long ReceiveDrops { get; internal set; }

    /// <summary>Frames received that stand for several: a sender's segmentation offload is on, and what it makes cannot be sent on.</summary>
    public long SuperPackets { get; internal set; }
}
