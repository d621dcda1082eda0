using System.Runtime.InteropServices;
using FastPathLb.Wire;

namespace FastPathLb.Live.Interop;

/// <summary>An interface's flags, MTU and address by ioctl (netdevice(7)).</summary>
internal static class InterfaceControl
{
    private const uint GetFlags = 0x8913;
    private const uint SetFlags = 0x8914;
    private const uint GetMtu = 0x8921;
    private const uint SetMtu = 0x8922;
    private const uint SetAddress = 0x8924;
    private const uint GetAddress = 0x8927;
    private const uint Ethtool = 0x8946;
    private const uint GetChannels = 0x3C;
    private const short FlagUp = 1;
    private const short EthernetHardware = 1;
    private const int InternetFamily = 2;
    private const int Datagram = 2;

    /// <summary>The MTU in bytes.</summary>
    public static int ReadMtu(string name)
    {
        InterfaceRequest request = InterfaceRequest.For(name);
        Call(name, GetMtu, ref request, "its MTU cannot be read");
        return request.Number;
    }

    /// <summary>Sets the MTU.</summary>
    public static void WriteMtu(string name, int mtuBytes)
    {
        InterfaceRequest request = InterfaceRequest.For(name);
        request.Number = mtuBytes;
        Call(name, SetMtu, ref request, $"its MTU cannot be set to {mtuBytes}");
    }

    /// <summary>The hardware address.</summary>
    public static MacAddress ReadMac(string name)
    {
        InterfaceRequest request = InterfaceRequest.For(name);
        Call(name, GetAddress, ref request, "its hardware address cannot be read");
        return MacAddress.Read(request.Address);
    }

    /// <summary>Sets the hardware address.</summary>
    public static void WriteMac(string name, MacAddress mac)
    {
        InterfaceRequest request = InterfaceRequest.For(name);
        request.Flags = EthernetHardware;
        mac.WriteTo(request.Address);
        Call(name, SetAddress, ref request, $"its hardware address cannot be set to {mac}");
    }

    /// <summary>Whether the interface is up.</summary>
    public static bool IsUp(string name)
    {
        InterfaceRequest request = InterfaceRequest.For(name);
        Call(name, GetFlags, ref request, "its flags cannot be read");
        return (request.Flags & FlagUp) != 0;
    }

    /// <summary>Brings the interface up, as <c>ip link set up</c> does.</summary>
    public static void BringUp(string name)
    {
        InterfaceRequest request = InterfaceRequest.For(name);
        Call(name, GetFlags, ref request, "its flags cannot be read");
        if ((request.Flags & FlagUp) == 0)
        {
            request.Flags |= FlagUp;
            Call(name, SetFlags, ref request, "it cannot be brought up");
        }
    }

    /// <summary>How many receive queues the interface has (ETHTOOL_GCHANNELS), or null where its driver does not tell.</summary>
    public static int? ReadReceiveQueues(string name)
    {
        int socket = LibcInterop.Socket(InternetFamily, Datagram | LibcInterop.CloseOnExec, 0);
        if (socket < 0)
        {
            return null;
        }

        try
        {
            ChannelRequest channels = new() { Command = GetChannels };
            InterfaceRequest request = InterfaceRequest.For(name);
            return LibcInterop.Control(socket, Ethtool, ref request, ref channels) == 0 ? (int)(channels.Receive + channels.Combined) : null;
        }
        finally
        {
            _ = LibcInterop.Close(socket);
        }
    }

    private static void Call(string name, uint operation, ref InterfaceRequest request, string problem)
    {
        int socket = LibcInterop.Socket(InternetFamily, Datagram | LibcInterop.CloseOnExec, 0);
        if (socket < 0)
        {
            throw DeviceException.Of(name, problem, LibcInterop.LastError);
        }

        try
        {
            if (LibcInterop.Control(socket, operation, ref request) != 0)
            {
                throw DeviceException.Of(name, problem, LibcInterop.LastError);
            }
        }
        finally
        {
            _ = LibcInterop.Close(socket);
        }
    }

    /// <summary>struct ethtool_channels: how many there may be, then how many there are.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct ChannelRequest
    {
        public uint Command;
        public uint ReceiveMax;
        public uint SendMax;
        public uint OtherMax;
        public uint CombinedMax;
        public uint Receive;
        public uint Send;
        public uint Other;
        public uint Combined;
    }
}
