using FastPathLb.Live.Devices;
using FastPathLb.Live.Interop;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Live.Tests.Units;

/// <summary>A device of memory, or a queue of one.</summary>
internal sealed class FakeDevice : ILiveDevice
{
    private const int EthernetBytes = 14;
    private const int EtherTypeOffset = 12;

    public string Name => "fake";

    public string Kind => "memory";

    public int MtuBytes => 1500;

    public DeviceCounters Counters { get; } = new();

    public string? Failure { get; set; }

    /// <summary>Fills a batch. On the worker's thread.</summary>
    public Action<FrameBatch>? OnReceive { get; set; }

    /// <summary>Sees each frame that is sent. On the worker's thread.</summary>
    public Action<byte[]>? OnSend { get; set; }

    public long Sent { get; private set; }

    public int Announcements { get; private set; }

    public FrameBatch CreateBatch() => new();

    public bool Receive(FrameBatch batch)
    {
        OnReceive?.Invoke(batch);
        return Failure is null;
    }

    public void Send(FrameBatch batch)
    {
        Sent += batch.Emitted.Length;
        for (int index = 0; index < batch.Emitted.Length; index++)
        {
            ReadOnlySpan<byte> frame = batch.EmittedBytes(index);
            OnSend?.Invoke(frame.ToArray());
            if (frame[EtherTypeOffset] == 8 && frame[EtherTypeOffset + 1] == 6)
            {
                Assert.True(ArpHeader.TryParse(frame[EthernetBytes..], out ArpHeader arp));
                Announcements += arp.Operation == ArpOperation.Request && arp.SenderAddress == arp.TargetAddress ? 1 : 0;
            }
        }
    }

    public void Wait(int wakeDescriptor, int timeoutMilliseconds) =>
        _ = LibcInterop.Poll(wakeDescriptor, -1, Math.Min(timeoutMilliseconds, 10), out _, out _);

    public void Dispose()
    {
    }
}
