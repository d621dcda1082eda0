namespace FastPathLb.Live.Interop;

/// <summary>The XDP program at an interface that sends each queue's frames to its socket. The kernel detaches it with this, also when the process is killed.</summary>
internal sealed class XdpProgram : IDisposable
{
    private const int NotSet = -1;

    private int _map = NotSet;
    private int _program = NotSet;
    private int _link = NotSet;

    private XdpProgram()
    {
    }

    /// <summary>Attaches it.</summary>
    /// <param name="name">The interface.</param>
    /// <param name="firstQueue">The first socket's receive queue; the others have the next ones.</param>
    /// <param name="sockets">The sockets' descriptors.</param>
    /// <exception cref="DeviceException">It cannot be attached; the message says what to do.</exception>
    public static XdpProgram Attach(string name, int firstQueue, IReadOnlyList<int> sockets)
    {
        XdpProgram handles = new();
        try
        {
            handles.Open(name, (uint)firstQueue, sockets);
            return handles;
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
        Close(ref _link);
        Close(ref _program);
        Close(ref _map);
    }

    private static void Close(ref int descriptor)
    {
        if (descriptor >= 0)
        {
            _ = LibcInterop.Close(descriptor);
            descriptor = NotSet;
        }
    }

    private void Open(string name, uint firstQueue, IReadOnlyList<int> sockets)
    {
        _map = XdpSocketHandles.Check(XdpInterop.CreateMap(firstQueue + (uint)sockets.Count), name, "no map of sockets can be made");
        for (int index = 0; index < sockets.Count; index++)
        {
            XdpSocketHandles.Check(
                XdpInterop.PutIntoMap(_map, firstQueue + (uint)index, sockets[index]), name, "the socket cannot be put into a map");
        }

        _program = XdpSocketHandles.Check(XdpInterop.LoadProgram(_map), name, "the XDP program cannot be loaded");
        _link = XdpSocketHandles.Check(
            XdpInterop.Attach(_program, PacketSocket.IndexOf(name)), name, "the XDP program cannot be attached",
            $"another one is attached: 'ip link set dev {name} xdp off' detaches it, if nobody needs it",
            "its MTU may be too large for XDP (3,498 bytes on most drivers): 'ip link set dev IF mtu 1500', or use --af-packet");
    }
}
