using FastPathLb.Live.Interop;
using FastPathLb.Live.Running;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Live.Devices;

/// <summary>
/// A TAP device, or one queue of it: the kernel has the interface, this program the other end of its cable (Documentation/networking/tuntap.rst).
/// </summary>
/// <remarks>
/// One system call per frame and direction; nothing is allocated. Frames come whole and with finished checksums, since the device
/// offers no offloads. An interface that is down refuses frames, which is counted, and works on when it is up again. One that was
/// made here goes with the process, however that ends; one that was there before (<c>ip tuntap add</c>) stays.
/// </remarks>
public sealed class TapDevice : ILiveDevice
{
    private const string DevicePath = "/dev/net/tun";
    private const uint SetInterface = 0x400454CA;
    private const short Tap = 0x0002;
    private const short NoPacketInformation = 0x1000;
    private const short MultiQueue = 0x0100;

    // An Ethernet header and up to two VLAN tags in front of a packet of MTU size.
    private const int LinkBytesMax = 22;

    private readonly int _descriptor;
    private readonly LiveClock _clock;
    private int _frameBytesMax;

    private TapDevice(int descriptor, string name, LiveClock clock)
    {
        _descriptor = descriptor;
        _clock = clock;
        Name = name;
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public string Kind => "tap";

    /// <inheritdoc/>
    public int MtuBytes { get; private set; }

    /// <inheritdoc/>
    public DeviceCounters Counters { get; } = new();

    /// <inheritdoc/>
    public string? Failure { get; private set; }

    /// <summary>Creates a TAP interface, or attaches to one that is there, and brings it up.</summary>
    /// <param name="name">The interface.</param>
    /// <param name="clock">What stamps frames.</param>
    /// <param name="mtuBytes">MTU to set; null leaves it.</param>
    /// <param name="mac">Hardware address to give the kernel's end; null leaves it.</param>
    /// <exception cref="DeviceException">It cannot be made; the message says what to do.</exception>
    public static TapDevice Open(string name, LiveClock clock, int? mtuBytes = null, MacAddress? mac = null) =>
        Open(name, clock, isOneOfMany: false, mtuBytes, mac);

    /// <summary>
    /// As <see cref="Open(string, LiveClock, int?, MacAddress?)"/>, with a queue for each worker. The kernel has a flow's frames come to the queue that
    /// the flow's answers were written to (tun_automq_select_queue).
    /// </summary>
    /// <exception cref="DeviceException">It cannot be made, or was made with one queue; the message says what to do.</exception>
    public static IReadOnlyList<TapDevice> OpenQueues(string name, LiveClock clock, int count, int? mtuBytes = null, MacAddress? mac = null)
    {
        List<TapDevice> queues = [];
        try
        {
            queues.Add(Open(name, clock, count > 1, mtuBytes, mac));
            while (queues.Count < count)
            {
                queues.Add(Open(queues[0].Name, clock, isOneOfMany: true, mtuBytes: null, mac: null));
            }

            return queues;
        }
        catch
        {
            queues.ForEach(queue => queue.Dispose());
            throw;
        }
    }

    private static TapDevice Open(string name, LiveClock clock, bool isOneOfMany, int? mtuBytes, MacAddress? mac)
    {
        CheckName(name);
        int descriptor = LibcInterop.Open(DevicePath, LibcInterop.OpenReadWrite | LibcInterop.NonBlocking | LibcInterop.CloseOnExec);
        if (descriptor < 0)
        {
            int error = LibcInterop.LastError;
            throw DeviceException.Of(DevicePath, "cannot be opened", error, error switch
            {
                ErrorNumber.NoEntry or ErrorNumber.NoDevice =>
                    "load the driver (modprobe tun); in a container, start it with --device /dev/net/tun --cap-add NET_ADMIN",
                _ => null,
            });
        }

        try
        {
            TapDevice device = new(descriptor, Attach(descriptor, name, isOneOfMany), clock);
            if (mtuBytes is { } mtu && InterfaceControl.ReadMtu(device.Name) != mtu)
            {
                InterfaceControl.WriteMtu(device.Name, mtu);
            }

            if (mac is { } address)
            {
                InterfaceControl.WriteMac(device.Name, address);
            }

            InterfaceControl.BringUp(device.Name);
            device.MtuBytes = InterfaceControl.ReadMtu(device.Name);
            device._frameBytesMax = device.MtuBytes + LinkBytesMax;
            return device;
        }
        catch
        {
            _ = LibcInterop.Close(descriptor);
            throw;
        }
    }

    /// <inheritdoc/>
    public FrameBatch CreateBatch() => new(BatchSize.InputBytes(_frameBytesMax));

    /// <inheritdoc/>
    public bool Receive(FrameBatch batch)
    {
        long now = 0;
        while (true)
        {
            Span<byte> room = batch.Reserve(_frameBytesMax);
            if (room.IsEmpty)
            {
                return true;
            }

            int length = LibcInterop.Read(_descriptor, room);
            if (length <= 0)
            {
                return length < 0 && Refused(LibcInterop.LastError) || batch.Count > 0;
            }

            if (now == 0)
            {
                now = _clock.Read();
            }

            Counters.FramesIn++;
            Counters.BytesIn += length;
            batch.Commit(length, length, now, Counters.FramesIn);
        }
    }

    /// <inheritdoc/>
    public void Send(FrameBatch batch)
    {
        for (int index = 0; index < batch.Emitted.Length; index++)
        {
            ReadOnlySpan<byte> frame = batch.EmittedBytes(index);
            if (frame.Length > MtuBytes + LinkBytesMax)
            {
                // The kernel's end would take it, and whoever is behind it would not.
                Counters.TooLongDrops++;
                continue;
            }

            int written = LibcInterop.Write(_descriptor, frame);
            if (written >= 0)
            {
                Counters.FramesOut++;
                Counters.BytesOut += written;
                continue;
            }

            switch (LibcInterop.LastError)
            {
                case ErrorNumber.TryAgain or ErrorNumber.NoBufferSpace or ErrorNumber.OutOfMemory:
                    Counters.QueueFullDrops++;
                    break;
                case ErrorNumber.Invalid or ErrorNumber.MessageTooLong:
                    Counters.TooLongDrops++;
                    break;
                default:
                    Counters.DownDrops++;
                    break;
            }
        }
    }

    /// <inheritdoc/>
    public void Wait(int wakeDescriptor, int timeoutMilliseconds)
    {
        _ = LibcInterop.Poll(_descriptor, wakeDescriptor, timeoutMilliseconds, out short events, out _);
        if ((events & LibcInterop.PollError) != 0 && Failure is null)
        {
            // Down and gone both raise an error; a read tells which. A short sleep keeps a down interface from spinning the loop.
            Thread.Sleep(DownPauseMilliseconds);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ = LibcInterop.Close(_descriptor);
        GC.SuppressFinalize(this);
    }

    private const int DownPauseMilliseconds = 10;

    private static void CheckName(string name)
    {
        if (name.Length is 0 or > InterfaceRequest.NameBytesMax || name.AsSpan().IndexOfAny('/', ' ') >= 0)
        {
            throw new DeviceException(
                $"{name}: no name for an interface; 1 to {InterfaceRequest.NameBytesMax} characters without blanks and slashes are expected");
        }
    }

    /// <returns>The interface's name: a pattern such as <c>tap%d</c> becomes one.</returns>
    private static string Attach(int descriptor, string name, bool isOneOfMany)
    {
        InterfaceRequest request = InterfaceRequest.For(name);
        request.Flags = Tap | NoPacketInformation | MultiQueue;
        if (LibcInterop.Control(descriptor, SetInterface, ref request) == 0)
        {
            return request.ReadName();
        }

        int error = LibcInterop.LastError;
        if (error == ErrorNumber.Invalid && !isOneOfMany)
        {
            // An interface that was made with one queue takes no other kind of user.
            request = InterfaceRequest.For(name);
            request.Flags = Tap | NoPacketInformation;
            if (LibcInterop.Control(descriptor, SetInterface, ref request) == 0)
            {
                return request.ReadName();
            }

            error = LibcInterop.LastError;
        }

        throw DeviceException.Of(name, "cannot be attached to as a TAP device", error, error switch
        {
            ErrorNumber.Invalid when isOneOfMany =>
                $"several workers need a TAP device with several queues: 'ip tuntap add dev {name} mode tap multi_queue' makes one, or let this program do it; or --workers 1",
            ErrorNumber.Invalid => "there is an interface of that name which is no TAP device: give another name",
            ErrorNumber.Busy => "another program has it: give another name, or end that program",
            _ => null,
        });
    }

    /// <returns>Whether frames may still come.</returns>
    private bool Refused(int error)
    {
        switch (error)
        {
            case ErrorNumber.TryAgain or ErrorNumber.Interrupted:
                return true;
            case ErrorNumber.BadDescriptorState:
                Failure = $"{Name}: the interface was removed";
                return false;
            case ErrorNumber.InputOutput:
                // Being unregistered at this moment; the next read says so.
                return true;
            default:
                // A device that is down, or without a carrier: it may come back.
                return true;
        }
    }
}
