using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FastPathLb.Live.Interop;

/// <summary>Packet sockets (packet(7), Documentation/networking/packet_mmap.rst): numbers and structures.</summary>
internal static class PacketSocket
{
    public const int Family = 17;
    public const int Raw = 3;
    public const int Level = 263;
    public const int AddMembership = 1;
    public const int ReceiveRing = 5;
    public const int Statistics = 6;
    public const int Version = 10;
    public const int VirtualHeader = 15;
    public const int BypassQueueDiscipline = 20;
    public const int IgnoreOutgoing = 23;
    public const int Version3 = 2;

    private const ushort AllProtocols = 0x0003;
    private const ushort Promiscuous = 1;

    /// <summary>Opens a raw packet socket that receives nothing yet.</summary>
    public static int Open(string name)
    {
        int descriptor = LibcInterop.Socket(Family, Raw | LibcInterop.NonBlocking | LibcInterop.CloseOnExec, 0);
        return descriptor >= 0 ? descriptor
            : throw DeviceException.Of(name, "no packet socket can be opened", LibcInterop.LastError, LibcInterop.LastError switch
            {
                ErrorNumber.FamilyNotSupported => "the kernel has no packet sockets (CONFIG_PACKET; modprobe af_packet)",
                _ => null,
            });
    }

    /// <summary>Binds a socket to an interface.</summary>
    /// <param name="descriptor">The socket.</param>
    /// <param name="name">The interface.</param>
    /// <param name="receives">Whether all its frames are received, or none.</param>
    public static void Bind(int descriptor, string name, bool receives)
    {
        LinkAddress address = new()
        {
            Family = Family,
            Protocol = receives ? BinaryPrimitives.ReverseEndianness(AllProtocols) : (ushort)0,
            InterfaceIndex = IndexOf(name),
        };
        if (LibcInterop.Bind(descriptor, address) != 0)
        {
            throw DeviceException.Of(name, "the packet socket cannot be bound", LibcInterop.LastError);
        }
    }

    /// <summary>Has the interface take frames for other hardware addresses, as long as the socket is open.</summary>
    public static void JoinPromiscuous(int descriptor, string name)
    {
        Membership membership = new() { InterfaceIndex = IndexOf(name), Type = Promiscuous };
        if (LibcInterop.SetOption(descriptor, Level, AddMembership, membership) != 0)
        {
            throw DeviceException.Of(name, "it cannot be made promiscuous", LibcInterop.LastError);
        }
    }

    /// <summary>The interface's number.</summary>
    public static int IndexOf(string name)
    {
        uint index = LibcInterop.InterfaceIndex(name);
        return index != 0 ? (int)index
            : throw DeviceException.Of(name, "there is no such interface", ErrorNumber.NoDevice);
    }

    /// <summary>struct tpacket_req3.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct RingRequest
    {
        public uint BlockBytes;
        public uint BlockCount;
        public uint FrameBytes;
        public uint FrameCount;
        public uint RetireMilliseconds;
        public uint PrivateBytes;
        public uint Features;
    }

    /// <summary>struct tpacket_stats_v3; reading it sets it to zero.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct RingStatistics
    {
        public uint Packets;
        public uint Drops;
        public uint Freezes;
    }

    /// <summary>struct sockaddr_ll.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct LinkAddress
    {
        public ushort Family;
        public ushort Protocol;
        public int InterfaceIndex;
        public ushort HardwareType;
        public byte PacketType;
        public byte AddressLength;
        public EightBytes Address;
    }

    /// <summary>struct packet_mreq.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Membership
    {
        public int InterfaceIndex;
        public ushort Type;
        public ushort AddressLength;
        public EightBytes Address;
    }

    [InlineArray(8)]
    private struct EightBytes
    {
        private byte _first;
    }
}
