using FastPathLb.Pipeline;

namespace FastPathLb.Live.Devices;

/// <summary>An interface of a running system, or one queue of it, as a source and sink of frames. Owned by one worker.</summary>
public interface ILiveDevice : IFrameSource, IFrameSink, IDisposable
{
    /// <summary>The interface's name.</summary>
    string Name { get; }

    /// <summary>How frames are exchanged with the kernel, for people: <c>tap</c>, <c>af_packet</c>, <c>af_xdp (copy)</c>.</summary>
    string Kind { get; }

    /// <summary>Largest IPv4 packet the interface takes, in bytes.</summary>
    int MtuBytes { get; }

    /// <summary>What passed and what did not. Written by the worker, read by any thread.</summary>
    DeviceCounters Counters { get; }

    /// <summary>Why the device cannot be used any more, or null: the interface was removed.</summary>
    string? Failure { get; }

    /// <summary>A batch that suits the device: of the size of its frames, or over the memory that it shares with the kernel.</summary>
    FrameBatch CreateBatch();

    /// <summary>Waits until a frame is there, until woken, or until the time is over.</summary>
    /// <param name="wakeDescriptor">Readable when the worker is to do something else.</param>
    /// <param name="timeoutMilliseconds">How long at most.</param>
    void Wait(int wakeDescriptor, int timeoutMilliseconds);
}
