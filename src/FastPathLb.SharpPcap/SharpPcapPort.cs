using FastPathLb.Pipeline;
using SharpPcap;
using SharpPcap.LibPcap;

namespace FastPathLb.SharpPcap;

/// <summary>A live network interface opened through SharpPcap, as both ends of a data path.</summary>
/// <remarks>
/// Owned by one worker. Opening needs the right to capture (root, or CAP_NET_RAW; an administrator on Windows).
/// <para>
/// A port does not receive what it sent itself, but libpcap does show what others on this host send through the interface.
/// Where that is not wanted, filter by address: <c>not ether src 02:42:0a:00:01:05</c>. (The filter <c>inbound</c> passes
/// nothing in libpcap 1.10.3 on Linux: it stays in user land, which does not know the direction.)
/// </para>
/// </remarks>
public sealed class SharpPcapPort : IFrameSource, IFrameSink, IDisposable
{
    private readonly ILiveDevice _device;

    private SharpPcapPort(ILiveDevice device, int portIndex)
    {
        _device = device;
        Source = new SharpPcapSource(device, portIndex);
        Sink = new SharpPcapSink(device, portIndex);
    }

    /// <summary>The receiving end, with its counts.</summary>
    public SharpPcapSource Source { get; }

    /// <summary>The sending end, with its counts.</summary>
    public SharpPcapSink Sink { get; }

    /// <summary>Frames that the kernel dropped because its ring was full; 0 where the device does not say.</summary>
    public long KernelDroppedCount => _device.Statistics?.DroppedPackets ?? 0;

    /// <summary>Opens an interface by name: promiscuous, whole frames, nanoseconds.</summary>
    /// <param name="interfaceName">A name as <c>ip link</c> has it.</param>
    /// <param name="portIndex">The port of the data path that it stands for.</param>
    /// <param name="filter">A libpcap filter, or null for all frames.</param>
    /// <exception cref="ArgumentException">There is no such interface, or none that may be seen, or it has no Ethernet frames.</exception>
    /// <exception cref="PcapException">It may not be opened, or the filter does not compile.</exception>
    public static SharpPcapPort Open(string interfaceName, int portIndex = 0, string? filter = null)
    {
        // Not the list's Instance: that one knows only the interfaces of the first time somebody asked.
        foreach (LibPcapLiveDevice device in LibPcapLiveDeviceList.New())
        {
            if (device.Name == interfaceName)
            {
                return Open(device, portIndex, filter);
            }
        }

        throw new ArgumentException($"There is no interface {interfaceName} that may be opened.", nameof(interfaceName));
    }

    /// <summary>Opens a device that SharpPcap listed, and owns it from then on.</summary>
    /// <param name="device">A device that is not open yet.</param>
    /// <param name="portIndex">The port of the data path that it stands for.</param>
    /// <param name="filter">A libpcap filter, or null for all frames.</param>
    /// <exception cref="ArgumentException">It has no Ethernet frames.</exception>
    /// <exception cref="PcapException">It may not be opened, or the filter does not compile.</exception>
    public static SharpPcapPort Open(ILiveDevice device, int portIndex = 0, string? filter = null)
    {
        ArgumentNullException.ThrowIfNull(device);
        device.Open(new DeviceConfiguration
        {
            Mode = DeviceModes.Promiscuous,
            Snaplen = SharpPcapLimits.SnapLengthBytes,
            BufferSize = SharpPcapLimits.RingBytes,
            ReadTimeout = SharpPcapLimits.BlockTimeoutMilliseconds,
            TimestampResolution = TimestampResolution.Nanosecond,
        });

        try
        {
            if (filter is not null)
            {
                device.Filter = filter;
            }

            return new SharpPcapPort(device, portIndex);
        }
        catch
        {
            device.Close();
            throw;
        }
    }

    /// <inheritdoc/>
    public bool Receive(FrameBatch batch) => Source.Receive(batch);

    /// <inheritdoc/>
    public void Send(FrameBatch batch) => Sink.Send(batch);

    /// <summary>Closes the device.</summary>
    public void Dispose() => _device.Dispose();
}
