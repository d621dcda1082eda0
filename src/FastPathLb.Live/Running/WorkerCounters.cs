namespace FastPathLb.Live.Running;

/// <summary>What a worker did with frames besides processing them. Written by it alone; a reader on another thread sees each number as it once was.</summary>
public sealed class WorkerCounters
{
    /// <summary>Frames that came in at its queue and belong to another worker, to which they went.</summary>
    public long HandedOver { get; internal set; }

    /// <summary>Frames that belong to another worker, which has no room for more of them.</summary>
    public long HandOverDrops { get; internal set; }
}
