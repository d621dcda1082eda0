using FastPathLb.Pipeline;
using SharpPcap;

namespace FastPathLb.SharpPcap;

/// <summary>An open SharpPcap device that frames are sent through.</summary>
/// <remarks>
/// Owned by one worker; opening and closing stay with the caller. One system call per frame. A frame that the device refuses
/// (longer than its MTU, or the interface is down) is counted and the next one is tried: a send never throws.
/// </remarks>
public sealed class SharpPcapSink : IFrameSink
{
    private readonly IInjectionDevice _device;
    private readonly int? _portIndex;

    /// <summary>Sends through a device that the caller has opened.</summary>
    /// <param name="device">An open device.</param>
    /// <param name="portIndex">The port of the data path whose frames it sends; null for those of all ports.</param>
    public SharpPcapSink(IInjectionDevice device, int? portIndex = null)
    {
        ArgumentNullException.ThrowIfNull(device);
        _device = device;
        _portIndex = portIndex;
    }

    /// <summary>Frames handed to the device.</summary>
    public long SentCount { get; private set; }

    /// <summary>Frames that the device refused.</summary>
    public long RefusedCount { get; private set; }

    /// <summary>What the device said to the last frame that it refused.</summary>
    public string? Refusal { get; private set; }

    /// <inheritdoc/>
    public void Send(FrameBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ReadOnlySpan<EmittedFrame> emitted = batch.Emitted;
        for (int index = 0; index < emitted.Length; index++)
        {
            if (_portIndex is null || emitted[index].PortIndex == _portIndex)
            {
                Send(batch.EmittedBytes(index));
            }
        }
    }

    private void Send(ReadOnlySpan<byte> frame)
    {
        try
        {
            _device.SendPacket(frame);
            SentCount++;
        }
        catch (PcapException refusal)
        {
            RefusedCount++;
            Refusal = refusal.Message;
        }
    }
}
