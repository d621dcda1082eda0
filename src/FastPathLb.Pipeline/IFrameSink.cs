namespace FastPathLb.Pipeline;

/// <summary>Where frames go to. One call per batch, or several where a batch causes more frames than it has room for.</summary>
public interface IFrameSink
{
    /// <summary>Sends <see cref="FrameBatch.Emitted"/> in order. The bytes belong to the batch and are overwritten afterwards.</summary>
    void Send(FrameBatch batch);
}
