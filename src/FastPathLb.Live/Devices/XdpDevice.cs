using FastPathLb.Live.Interop;
using FastPathLb.Live.Running;
using FastPathLb.Pipeline;

namespace FastPathLb.Live.Devices;

/// <summary>An interface's receive queue by AF_XDP: frames lie in memory shared with the kernel and are rewritten there.</summary>
/// <remarks>
/// The batch's arena is that memory (UMEM), cut into chunks: a received frame is processed where the kernel, or the card, put it, with 256 bytes
/// of head room before it, and the same chunk is handed over to be sent. Frames that the data path makes itself, or that another worker handed over, are copied into a free chunk.
/// <code>
/// arena: | slack | chunk 0: room 256, frame | chunk 1 ... | chunk n-1 | output area |
/// a chunk's way: free ─► fill ring ─► receive ring ─► batch ─► send ring ─► completion ring ─► free
///                                                       └─► free (consumed, dropped)
/// </code>
/// All frames of the queue come here and none to the kernel's stack; the program is detached when the process ends, however it does. On a veth the other
/// end must finish its checksums: <c>ethtool -K PEER tx off</c>. Nothing is allocated per frame.
/// </remarks>
public sealed class XdpDevice : ILiveDevice
{
    private const int PageBytes = 4096;
    private const int ChunkCount = 4096;
    private const uint RingSize = 2048;

    // Most frames the kernel takes of the ring in one call in copy mode (TX_BATCH_SIZE).
    private const int WakeupsMax = 2 * (int)RingSize / 32;
    private const int SmallChunkBytes = 2048;
    private const int LargeChunkBytes = 4096;
    private const int KernelHeadroomBytes = 256;
    private const int LinkBytesMax = 22;
    private const int EnvelopeBytes = 50;
    private const int DownPauseMilliseconds = 10;

    private readonly LiveClock _clock;
    private readonly XdpSocketHandles _socket;
    private readonly FrameBatch _batch;
    private readonly int _start;
    private readonly int _chunkBytes;
    private readonly int _index;
    private readonly int _promiscuous;
    private XdpProgram? _program;
    private readonly int[] _free = new int[ChunkCount];
    private readonly int[] _received = new int[FrameBatch.CountMax];
    private readonly bool[] _isInBatch = new bool[ChunkCount];
    private int _freeCount;
    private int _receivedCount;
    private bool _isDown;

    private XdpDevice(
        string name, LiveClock clock, XdpSocketHandles socket, FrameBatch batch, int start, int chunkBytes, int mtuBytes, string kind,
        int promiscuous)
    {
        Name = name;
        Kind = kind;
        MtuBytes = mtuBytes;
        _clock = clock;
        _socket = socket;
        _batch = batch;
        _start = start;
        _chunkBytes = chunkBytes;
        _promiscuous = promiscuous;
        _index = PacketSocket.IndexOf(name);
        for (int chunk = ChunkCount - 1; chunk >= 0; chunk--)
        {
            _free[_freeCount++] = chunk;
        }

        Refill();
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public string Kind { get; }

    /// <inheritdoc/>
    public int MtuBytes { get; }

    /// <inheritdoc/>
    public DeviceCounters Counters { get; } = new();

    /// <inheritdoc/>
    public string? Failure { get; private set; }

    /// <summary>Opens a queue of an interface and brings it up.</summary>
    /// <param name="name">The interface.</param>
    /// <param name="clock">What stamps frames.</param>
    /// <param name="queue">The receive queue.</param>
    /// <param name="zeroCopy">Whether the driver itself fills the memory: true asks for it, false forbids it, null takes what there is.</param>
    /// <param name="isBusyPolling">Whether the kernel's driver runs on the worker's own processor time (SO_PREFER_BUSY_POLL).</param>
    /// <exception cref="DeviceException">It cannot be opened; the message says what to do.</exception>
    public static XdpDevice Open(string name, LiveClock clock, int queue = 0, bool? zeroCopy = null, bool isBusyPolling = false) =>
        OpenQueues(name, clock, count: 1, queue, zeroCopy, isBusyPolling)[0];

    /// <summary>Opens several queues of an interface, one for each worker, and brings it up.</summary>
    /// <param name="name">The interface.</param>
    /// <param name="clock">What stamps frames.</param>
    /// <param name="count">How many queues.</param>
    /// <param name="firstQueue">The first of them.</param>
    /// <param name="zeroCopy">Whether the driver itself fills the memory: true asks for it, false forbids it, null takes what there is.</param>
    /// <param name="isBusyPolling">Whether the kernel's driver runs on the workers' own processor time (SO_PREFER_BUSY_POLL).</param>
    /// <exception cref="DeviceException">They cannot be opened, or there are fewer; the message says what to do.</exception>
    public static IReadOnlyList<XdpDevice> OpenQueues(
        string name, LiveClock clock, int count, int firstQueue = 0, bool? zeroCopy = null, bool isBusyPolling = false)
    {
        List<XdpDevice> queues = [];
        try
        {
            if (count > 1 && InterfaceControl.ReadReceiveQueues(name) is { } found && found < firstQueue + count)
            {
                throw new DeviceException(
                    $"{name}: {count} workers need a receive queue each{(firstQueue > 0 ? $" from {firstQueue} on" : "")}, and it has {found}: "
                    + $"'ethtool -L {name} combined {firstQueue + count}' (a veth: 'rx {firstQueue + count}') where its driver can, or fewer --workers");
            }

            while (queues.Count < count)
            {
                queues.Add(OpenQueue(name, clock, firstQueue + queues.Count, zeroCopy, isBusyPolling));
            }

            queues[0]._program = XdpProgram.Attach(name, firstQueue, [.. queues.Select(queue => queue._socket.Descriptor)]);
            return queues;
        }
        catch
        {
            queues.ForEach(queue => queue.Dispose());
            throw;
        }
    }

    private static XdpDevice OpenQueue(string name, LiveClock clock, int queue, bool? zeroCopy, bool isBusyPolling)
    {
        int mtu = InterfaceControl.ReadMtu(name);
        int chunkBytes = mtu + LinkBytesMax + EnvelopeBytes <= SmallChunkBytes - KernelHeadroomBytes ? SmallChunkBytes : LargeChunkBytes;
        if (mtu + LinkBytesMax > chunkBytes - KernelHeadroomBytes)
        {
            throw new DeviceException(
                $"{name}: its MTU {mtu} is too large for AF_XDP, {LargeChunkBytes - KernelHeadroomBytes - LinkBytesMax} is the most; "
                + "lower it, or use --af-packet");
        }

        InterfaceControl.BringUp(name);

        // The kernel wants memory that begins with a page.
        FrameBatch batch = new((ChunkCount * chunkBytes) + PageBytes);
        nint arena = batch.ArenaAddress;
        int start = (int)((PageBytes - (arena % PageBytes)) % PageBytes);
        int promiscuous = PacketSocket.Open(name);
        try
        {
            PacketSocket.JoinPromiscuous(promiscuous, name);
            (XdpSocketHandles socket, string kind) = Bind(name, queue, arena + start, chunkBytes, zeroCopy);
            if (isBusyPolling)
            {
                PreferBusyPolling(socket.Descriptor);
            }

            return new XdpDevice(name, clock, socket, batch, start, chunkBytes, mtu, kind, promiscuous);
        }
        catch
        {
            _ = LibcInterop.Close(promiscuous);
            throw;
        }
    }

    /// <summary>The batch over the shared memory: always the same one.</summary>
    public FrameBatch CreateBatch() => _batch;

    /// <inheritdoc/>
    public bool Receive(FrameBatch batch)
    {
        Reclaim();
        Refill();
        uint count = Math.Min(_socket.Receive.Waiting, FrameBatch.CountMax);
        if (count == 0)
        {
            return Failure is null;
        }

        long now = _clock.Read();
        for (uint index = 0; index < count; index++)
        {
            (ulong address, int length) = _socket.Receive.FrameAt(index);
            int chunk = (int)(address / (uint)_chunkBytes);
            _received[_receivedCount++] = chunk;
            _isInBatch[chunk] = true;
            Counters.FramesIn++;
            Counters.BytesIn += length;
            batch.Place(_start + (int)address, length, length, now, Counters.FramesIn);
        }

        _socket.Receive.Release(count);
        return true;
    }

    /// <inheritdoc/>
    public void Send(FrameBatch batch)
    {
        XdpRingInterop ring = _socket.Send;
        uint count = 0;
        for (int index = 0; index < batch.Emitted.Length; index++)
        {
            ref readonly EmittedFrame frame = ref batch.Emitted[index];
            if (frame.LengthBytes > MtuBytes + LinkBytesMax)
            {
                Counters.TooLongDrops++;
                continue;
            }

            if (count == ring.Free)
            {
                ring.Submit(count);
                count = 0;
                Wake();
                Complete();
            }

            int offset = count < ring.Free ? PlaceOf(batch, frame) : -1;
            if (offset < 0 || _isDown)
            {
                Refuse(offset);
                continue;
            }

            ring.SetFrame(count++, (ulong)(offset - _start), frame.LengthBytes);
            Counters.FramesOut++;
            Counters.BytesOut += frame.LengthBytes;
        }

        ring.Submit(count);
        if (ring.Unsent > 0)
        {
            Wake();
        }
    }

    /// <inheritdoc/>
    public void Wait(int wakeDescriptor, int timeoutMilliseconds)
    {
        int ready = LibcInterop.Poll(_socket.Descriptor, wakeDescriptor, timeoutMilliseconds, out short events, out _);
        if (ready != 0 && (events & LibcInterop.PollError) == 0)
        {
            return;
        }

        // AF_XDP tells nobody that its interface went: it just stays silent.
        if (LibcInterop.InterfaceIndex(Name) != _index)
        {
            Failure = $"{Name}: the interface was removed";
            return;
        }

        _isDown = _isDown && !InterfaceControl.IsUp(Name);
        if (ready != 0)
        {
            Thread.Sleep(DownPauseMilliseconds);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _program?.Dispose();
        _socket.Dispose();
        _ = LibcInterop.Close(_promiscuous);
        GC.SuppressFinalize(this);
    }

    private static (XdpSocketHandles Socket, string Kind) Bind(string name, int queue, nint area, int chunkBytes, bool? zeroCopy)
    {
        const string ZeroCopyKind = "af_xdp (zero-copy)";
        const string CopyKind = "af_xdp (copy)";
        if (zeroCopy != false)
        {
            try
            {
                return (Create(XdpInterop.BindZeroCopy), ZeroCopyKind);
            }
            catch (DeviceException) when (zeroCopy is null)
            {
                // Most drivers copy; an error that is not about that comes again.
            }
        }

        return (Create(XdpInterop.BindCopy), CopyKind);

        XdpSocketHandles Create(ushort mode) => XdpSocketHandles.Create(
            name, queue, area, (ulong)ChunkCount * (uint)chunkBytes, (uint)chunkBytes, RingSize,
            (ushort)(mode | XdpInterop.BindNeedWakeup));
    }

    private static void PreferBusyPolling(int descriptor)
    {
        const int SocketLevel = 1;
        const int BusyPoll = 46;
        const int PreferBusyPoll = 69;
        const int BusyPollBudget = 70;
        const int Microseconds = 20;
        const int Frames = 64;

        // Kernels before 5.11 know no preference: then interrupts drive the card as ever.
        _ = LibcInterop.SetOption(descriptor, SocketLevel, PreferBusyPoll, 1);
        _ = LibcInterop.SetOption(descriptor, SocketLevel, BusyPoll, Microseconds);
        _ = LibcInterop.SetOption(descriptor, SocketLevel, BusyPollBudget, Frames);
    }

    /// <summary>Where a frame to be sent lies in the shared memory, or -1 where no chunk is free.</summary>
    private int PlaceOf(FrameBatch batch, in EmittedFrame frame)
    {
        int chunk = (frame.Offset - _start) / _chunkBytes;
        if (ReferenceEquals(batch, _batch) && frame.Offset >= _start && chunk < ChunkCount && _isInBatch[chunk])
        {
            // From here on the chunk is the kernel's.
            _isInBatch[chunk] = false;
            return frame.Offset;
        }

        if (_freeCount == 0)
        {
            return -1;
        }

        int offset = _start + (_free[--_freeCount] * _chunkBytes) + KernelHeadroomBytes;
        batch.Slice(frame.Offset, frame.LengthBytes).CopyTo(_batch.Slice(offset, frame.LengthBytes));
        return offset;
    }

    private void Refuse(int offset)
    {
        if (_isDown)
        {
            Counters.DownDrops++;
        }
        else
        {
            Counters.QueueFullDrops++;
        }

        if (offset >= 0)
        {
            _free[_freeCount++] = (offset - _start) / _chunkBytes;
        }
    }

    /// <summary>The chunks of the batch before that were not sent are free again, and so are those that the kernel has sent.</summary>
    private void Reclaim()
    {
        for (int index = 0; index < _receivedCount; index++)
        {
            int chunk = _received[index];
            if (_isInBatch[chunk])
            {
                _isInBatch[chunk] = false;
                _free[_freeCount++] = chunk;
            }
        }

        _receivedCount = 0;
        Complete();
        if (_socket.Send.Unsent > 0)
        {
            Wake();
        }
    }

    private void Complete()
    {
        uint count = _socket.Completion.Waiting;
        for (uint index = 0; index < count; index++)
        {
            _free[_freeCount++] = (int)(_socket.Completion.AddressAt(index) / (uint)_chunkBytes);
        }

        _socket.Completion.Release(count);
    }

    private void Refill()
    {
        uint count = Math.Min(_socket.Fill.Free, (uint)_freeCount);
        for (uint index = 0; index < count; index++)
        {
            _socket.Fill.SetAddress(index, (ulong)_free[--_freeCount] * (uint)_chunkBytes);
        }

        _socket.Fill.Submit(count);
        if (_socket.Fill.NeedsWakeup)
        {
            _ = XdpInterop.WakeToReceive(_socket.Descriptor);
        }
    }

    private void Wake()
    {
        for (int attempt = 0; attempt < WakeupsMax && _socket.Send.Unsent > 0 && _socket.Send.NeedsWakeup; attempt++)
        {
            if (XdpInterop.WakeToSend(_socket.Descriptor) >= 0)
            {
                continue;
            }

            switch (LibcInterop.LastError)
            {
                case ErrorNumber.TryAgain or ErrorNumber.Busy or ErrorNumber.NoBufferSpace:
                    Complete();
                    break;
                case ErrorNumber.NetworkDown or ErrorNumber.NoDevice or ErrorNumber.NoDeviceOrAddress:
                    _isDown = true;
                    return;
                default:
                    return;
            }
        }
    }
}
