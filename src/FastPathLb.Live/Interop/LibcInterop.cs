using System.ComponentModel;
using System.Runtime.InteropServices;

namespace FastPathLb.Live.Interop;

/// <summary>System calls that .NET has no call for, on plain file descriptors.</summary>
/// <remarks>
/// Sound because every pointer handed to the kernel is to memory that is pinned, or on the stack, for the whole call, with the
/// length that is told; the kernel keeps none of them but those of <see cref="MapMemory"/>, whose mapping only its owner ends.
/// </remarks>
internal static unsafe partial class LibcInterop
{
    public const int OpenReadWrite = 2;
    public const int NonBlocking = 0x800;
    public const int CloseOnExec = 0x80000;

    public const short PollIn = 1;
    public const short PollOut = 4;
    public const short PollError = 8;
    public const short PollHangUp = 16;

    public static int LastError => Marshal.GetLastPInvokeError();

    /// <summary>The system's words for an error number.</summary>
    public static string Describe(int error) => new Win32Exception(error).Message;

    /// <summary>Reads into a span.</summary>
    /// <returns>Bytes, or -1 with <see cref="LastError"/>.</returns>
    public static int Read(int descriptor, Span<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            return (int)ReadBytes(descriptor, start, (nuint)bytes.Length);
        }
    }

    /// <summary>Writes a span.</summary>
    /// <returns>Bytes, or -1 with <see cref="LastError"/>.</returns>
    public static int Write(int descriptor, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            return (int)WriteBytes(descriptor, start, (nuint)bytes.Length);
        }
    }

    /// <summary>An ioctl on a structure.</summary>
    public static int Control<T>(int descriptor, uint request, ref T argument)
        where T : unmanaged
    {
        fixed (T* pointer = &argument)
        {
            return ControlPointer(descriptor, request, pointer);
        }
    }

    /// <summary>An ioctl about an interface that points to a structure of its own (ifr_data).</summary>
    public static int Control<T>(int descriptor, uint request, ref InterfaceRequest argument, ref T data)
        where T : unmanaged
    {
        fixed (T* pointer = &data)
        {
            argument.Pointer = (nint)pointer;
            int result = Control(descriptor, request, ref argument);
            argument.Pointer = 0;
            return result;
        }
    }

    /// <summary>Sets a socket option.</summary>
    public static int SetOption<T>(int descriptor, int level, int option, in T value)
        where T : unmanaged
    {
        fixed (T* pointer = &value)
        {
            return SetSocketOption(descriptor, level, option, pointer, (uint)sizeof(T));
        }
    }

    /// <summary>Gives a socket a classic packet filter (struct sock_fprog), which the kernel copies.</summary>
    public static int SetFilter(int descriptor, int level, int option, ReadOnlySpan<PacketFanout.FilterInstruction> program)
    {
        fixed (PacketFanout.FilterInstruction* start = program)
        {
            FilterProgram filter = new() { Length = (ushort)program.Length, Instructions = (nint)start };
            return SetSocketOption(descriptor, level, option, &filter, (uint)sizeof(FilterProgram));
        }
    }

    /// <summary>Reads a socket option.</summary>
    public static int GetOption<T>(int descriptor, int level, int option, out T value)
        where T : unmanaged
    {
        value = default;
        uint length = (uint)sizeof(T);
        fixed (T* pointer = &value)
        {
            return GetSocketOption(descriptor, level, option, pointer, &length);
        }
    }

    /// <summary>Waits for one of two descriptors.</summary>
    /// <param name="first">A descriptor to read from.</param>
    /// <param name="second">Another, or -1.</param>
    /// <param name="timeoutMilliseconds">How long; -1 for ever.</param>
    /// <param name="firstEvents">What happened to the first.</param>
    /// <param name="secondEvents">What happened to the second.</param>
    /// <returns>How many of them have something; 0 after the time.</returns>
    public static int Poll(int first, int second, int timeoutMilliseconds, out short firstEvents, out short secondEvents)
    {
        PollEntry* entries = stackalloc PollEntry[2];
        entries[0] = new PollEntry { Descriptor = first, Events = PollIn };
        entries[1] = new PollEntry { Descriptor = second, Events = PollIn };
        int result = PollEntries(entries, 2, timeoutMilliseconds);
        firstEvents = entries[0].ReturnedEvents;
        secondEvents = entries[1].ReturnedEvents;
        return result;
    }

    /// <summary>Binds a socket.</summary>
    public static int Bind<T>(int descriptor, in T address)
        where T : unmanaged
    {
        fixed (T* pointer = &address)
        {
            return BindSocket(descriptor, pointer, (uint)sizeof(T));
        }
    }

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int descriptor);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    public static partial int EventDescriptor(uint initial, int flags);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    public static partial int Socket(int domain, int type, int protocol);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "if_nametoindex", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial uint InterfaceIndex(string name);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    public static partial nint MapMemory(nint address, nuint lengthBytes, int protection, int flags, int descriptor, nint offset);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    public static partial int UnmapMemory(nint address, nuint lengthBytes);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "sendmmsg", SetLastError = true)]
    public static partial int SendMessages(int descriptor, void* messages, uint count, int flags);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "sendto", SetLastError = true)]
    public static partial nint SendTo(int descriptor, void* bytes, nuint lengthBytes, int flags, void* address, uint addressBytes);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "recvfrom", SetLastError = true)]
    public static partial nint ReceiveFrom(
        int descriptor, void* bytes, nuint lengthBytes, int flags, void* address, void* addressBytes);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint ReadBytes(int descriptor, byte* bytes, nuint lengthBytes);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint WriteBytes(int descriptor, byte* bytes, nuint lengthBytes);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int ControlPointer(int descriptor, nuint request, void* argument);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    private static partial int SetSocketOption(int descriptor, int level, int option, void* value, uint lengthBytes);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "getsockopt", SetLastError = true)]
    private static partial int GetSocketOption(int descriptor, int level, int option, void* value, uint* lengthBytes);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    private static partial int BindSocket(int descriptor, void* address, uint lengthBytes);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int PollEntries(PollEntry* entries, nuint count, int timeoutMilliseconds);

    /// <summary>struct sock_fprog.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct FilterProgram
    {
        public ushort Length;
        public nint Instructions;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct PollEntry
    {
        public int Descriptor;
        public short Events;
        public short ReturnedEvents;
    }
}
