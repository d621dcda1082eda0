using System.Runtime.InteropServices;

namespace FastPathLb.Live.Interop;

/// <summary>libxdp 1.3 and libbpf 1: AF_XDP sockets, and a program that hands an interface's frames to one.</summary>
/// <remarks>
/// Sound because the structures passed are on the stack for the whole call, and those that libxdp keeps addresses of (rings, the frames'
/// memory) belong to <see cref="XdpSocketHandles"/>, which outlives the socket. The program is attached by a link whose descriptor is this
/// process's: the kernel detaches it when that is closed, also when the process is killed.
/// </remarks>
internal static unsafe partial class XdpInterop
{
    public const ushort BindCopy = 1 << 1;
    public const ushort BindZeroCopy = 1 << 2;
    public const ushort BindNeedWakeup = 1 << 3;

    private const string LibXdp = "libxdp.so.1";
    private const string LibBpf = "libbpf.so.1";
    private const uint InhibitProgramLoad = 1;
    private const int SocketMap = 17;
    private const int XdpProgram = 6;
    private const int XdpAttach = 37;
    private const int RedirectMap = 51;
    private const int Pass = 2;
    private const short QueueOffset = 16;

    /// <summary>Keeps the libraries from writing to standard error: what they say is in the error numbers.</summary>
    public static void Silence()
    {
        _ = SetXdpPrint(0);
        _ = SetBpfPrint(0);
    }

    /// <summary>Registers memory for frames with the kernel.</summary>
    /// <returns>0, or the negative error number.</returns>
    public static int CreateMemory(
        out nint memory, nint area, ulong sizeBytes, XdpRingInterop fill, XdpRingInterop completion, uint ringSize, uint chunkBytes)
    {
        MemoryConfiguration configuration = new()
        {
            FillSize = ringSize,
            CompletionSize = ringSize,
            FrameBytes = chunkBytes,
        };
        return CreateUmem(out memory, area, sizeBytes, fill.Address, completion.Address, &configuration);
    }

    /// <summary>Makes a socket on a queue of an interface.</summary>
    /// <returns>0, or the negative error number.</returns>
    public static int CreateSocket(
        out nint socket, string name, uint queue, nint memory, XdpRingInterop receive, XdpRingInterop send, uint ringSize, ushort bindFlags)
    {
        SocketConfiguration configuration = new()
        {
            ReceiveSize = ringSize,
            SendSize = ringSize,
            LibraryFlags = InhibitProgramLoad,
            BindFlags = bindFlags,
        };
        return CreateSocket(out socket, name, queue, memory, receive.Address, send.Address, &configuration);
    }

    /// <summary>Makes a map from queues to sockets.</summary>
    /// <returns>Its descriptor, or the negative error number.</returns>
    public static int CreateMap(uint queues) => CreateMap(SocketMap, "fastpathlb", sizeof(uint), sizeof(int), queues, null);

    /// <summary>Has a queue's frames come to a socket.</summary>
    /// <returns>0, or the negative error number.</returns>
    public static int PutIntoMap(int map, uint queue, int socket) => UpdateMap(map, &queue, &socket, 0);

    /// <summary>Loads the program: every frame of a queue in the map goes to its socket, others pass.</summary>
    /// <returns>Its descriptor, or the negative error number.</returns>
    public static int LoadProgram(int map)
    {
        Instruction* program = stackalloc Instruction[]
        {
            new() { Code = 0x61, Registers = 0x12, Offset = QueueOffset },
            new() { Code = 0x18, Registers = 0x11, Immediate = map },
            default,
            new() { Code = 0xB7, Registers = 0x03, Immediate = Pass },
            new() { Code = 0x85, Immediate = RedirectMap },
            new() { Code = 0x95 },
        };
        return LoadProgram(XdpProgram, "fastpathlb", "Dual BSD/GPL", program, 6, null);
    }

    /// <summary>Attaches a program to an interface for as long as the descriptor returned is open.</summary>
    /// <returns>The link's descriptor, or the negative error number.</returns>
    public static int Attach(int program, int interfaceIndex) => CreateLink(program, interfaceIndex, XdpAttach, null);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport(LibXdp, EntryPoint = "xsk_socket__fd")]
    public static partial int DescriptorOf(nint socket);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport(LibXdp, EntryPoint = "xsk_socket__delete")]
    public static partial void DeleteSocket(nint socket);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport(LibXdp, EntryPoint = "xsk_umem__delete")]
    public static partial int DeleteMemory(nint memory);

    /// <summary>Wakes the kernel to send what is in the ring.</summary>
    public static int WakeToSend(int descriptor) => (int)LibcInterop.SendTo(descriptor, null, 0, DoNotWait, null, 0);

    /// <summary>Wakes the kernel to receive into what is in the fill ring.</summary>
    public static int WakeToReceive(int descriptor) => (int)LibcInterop.ReceiveFrom(descriptor, null, 0, DoNotWait, null, null);

    private const int DoNotWait = 0x40;

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport(LibXdp, EntryPoint = "libxdp_set_print")]
    private static partial nint SetXdpPrint(nint function);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport(LibBpf, EntryPoint = "libbpf_set_print")]
    private static partial nint SetBpfPrint(nint function);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport(LibXdp, EntryPoint = "xsk_umem__create")]
    private static partial int CreateUmem(
        out nint memory, nint area, ulong sizeBytes, nint fill, nint completion, MemoryConfiguration* configuration);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport(LibXdp, EntryPoint = "xsk_socket__create", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int CreateSocket(
        out nint socket, string name, uint queue, nint memory, nint receive, nint send, SocketConfiguration* configuration);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport(LibBpf, EntryPoint = "bpf_map_create", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int CreateMap(int type, string name, uint keyBytes, uint valueBytes, uint entries, void* options);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport(LibBpf, EntryPoint = "bpf_map_update_elem")]
    private static partial int UpdateMap(int map, void* key, void* value, ulong flags);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport(LibBpf, EntryPoint = "bpf_prog_load", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LoadProgram(
        int type, string name, string license, Instruction* instructions, nuint count, void* options);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport(LibBpf, EntryPoint = "bpf_link_create")]
    private static partial int CreateLink(int program, int target, int type, void* options);

    /// <summary>struct xsk_umem_config.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct MemoryConfiguration
    {
        public uint FillSize;
        public uint CompletionSize;
        public uint FrameBytes;
        public uint HeadroomBytes;
        public uint Flags;
    }

    /// <summary>struct xsk_socket_config.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct SocketConfiguration
    {
        public uint ReceiveSize;
        public uint SendSize;
        public uint LibraryFlags;
        public uint XdpFlags;
        public ushort BindFlags;
    }

    /// <summary>struct bpf_insn: the source register in the high half of the byte, the target in the low.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Instruction
    {
        public byte Code;
        public byte Registers;
        public short Offset;
        public int Immediate;
    }
}
