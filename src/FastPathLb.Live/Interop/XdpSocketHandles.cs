namespace FastPathLb.Live.Interop;

/// <summary>An AF_XDP socket with all that belongs to it, made and undone in the right order.</summary>
internal sealed class XdpSocketHandles : IDisposable
{
    private const int NotSet = -1;

    private nint _memory;
    private nint _socket;

    private XdpSocketHandles()
    {
    }

    public XdpRingInterop Fill { get; } = new();

    public XdpRingInterop Completion { get; } = new();

    public XdpRingInterop Receive { get; } = new();

    public XdpRingInterop Send { get; } = new();

    /// <summary>The socket, for poll.</summary>
    public int Descriptor { get; private set; } = NotSet;

    /// <summary>Makes a socket over memory for frames. Frames come once an <see cref="XdpProgram"/> sends them.</summary>
    /// <param name="name">The interface.</param>
    /// <param name="queue">Its receive queue.</param>
    /// <param name="area">Page-aligned memory that stays where it is.</param>
    /// <param name="sizeBytes">Its size.</param>
    /// <param name="chunkBytes">Size of a frame's place in it.</param>
    /// <param name="ringSize">Entries of each ring.</param>
    /// <param name="bindFlags">Copy or zero-copy.</param>
    /// <exception cref="DeviceException">It cannot be made; the message says what to do.</exception>
    public static XdpSocketHandles Create(
        string name, int queue, nint area, ulong sizeBytes, uint chunkBytes, uint ringSize, ushort bindFlags)
    {
        XdpSocketHandles handles = new();
        try
        {
            XdpInterop.Silence();
            handles.Open(name, (uint)queue, area, sizeBytes, chunkBytes, ringSize, bindFlags);
            return handles;
        }
        catch (DllNotFoundException missing)
        {
            handles.Dispose();
            throw new DeviceException(
                $"{name}: AF_XDP needs libxdp.so.1 and libbpf.so.1, which are not installed; apt install libxdp1 libbpf1, or use --af-packet", missing);
        }
        catch
        {
            handles.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_socket != 0)
        {
            XdpInterop.DeleteSocket(_socket);
            _socket = 0;
        }

        if (_memory != 0)
        {
            _ = XdpInterop.DeleteMemory(_memory);
            _memory = 0;
        }

        Fill.Dispose();
        Completion.Dispose();
        Receive.Dispose();
        Send.Dispose();
    }

    internal static int Check(int result, string name, string problem, string? busy = null, string? unsupported = null) => result >= 0
        ? result
        : throw DeviceException.Of(name, problem, -result, -result switch
        {
            ErrorNumber.Busy => busy,
            ErrorNumber.NotSupported or ErrorNumber.ProtocolNotSupported or ErrorNumber.FamilyNotSupported or ErrorNumber.Invalid => unsupported,
            _ => null,
        });

    private void Open(string name, uint queue, nint area, ulong sizeBytes, uint chunkBytes, uint ringSize, ushort bindFlags)
    {
        Check(
            XdpInterop.CreateMemory(out _memory, area, sizeBytes, Fill, Completion, ringSize, chunkBytes), name,
            "its frames' memory cannot be registered", unsupported: "the kernel has no AF_XDP (CONFIG_XDP_SOCKETS): use --af-packet");
        Check(
            XdpInterop.CreateSocket(out _socket, name, queue, _memory, Receive, Send, ringSize, bindFlags), name,
            $"no AF_XDP socket can be bound to queue {queue}", "another AF_XDP socket has that queue: end its program, or give another --queue",
            (bindFlags & XdpInterop.BindZeroCopy) != 0
                ? "its driver has no zero-copy: --zero-copy auto"
                : "the interface has no such queue ('ethtool -l' lists them), or is not up");
        Descriptor = XdpInterop.DescriptorOf(_socket);
    }
}
