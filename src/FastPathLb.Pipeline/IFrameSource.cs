namespace FastPathLb.Pipeline;

/// <summary>Where frames come from: a capture, a TAP device, an AF_XDP socket, memory. One call per batch.</summary>
public interface IFrameSource
{
    /// <summary>
    /// Fills an empty batch with the frames that are there, in order of arrival.
    /// </summary>
    /// <returns><see langword="false"/> at the end of the source; an empty batch with <see langword="true"/> means nothing was there yet.</returns>
    bool Receive(FrameBatch batch);
}
