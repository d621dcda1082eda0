using System.Runtime.InteropServices;

namespace FastPathLb.Live.Interop;

/// <summary>A group of packet sockets that share an interface's frames: each frame comes to one, which a program chooses (packet(7)).</summary>
/// <remarks>
/// A socket must be bound before it can join, and would receive all frames meanwhile, which the others have already: so a filter that lets nothing
/// pass is on it until it has joined. The first one has the kernel find a number that no other group has. Until a program is given all frames come to the first socket.
/// </remarks>
internal sealed class PacketFanout
{
    private const int Fanout = 18;
    private const int ClassicProgram = 6;
    private const int Program = 22;
    private const int UniqueNumber = 0x2000;
    private const int SocketLevel = 1;
    private const int AttachFilter = 26;
    private const int DetachFilter = 27;
    private const int NumberMask = 0xFFFF;
    private const int ModeShift = 16;
    private const ushort Return = 0x06;

    private int _number = -1;

    /// <summary>Lets nothing come to a socket until it has joined.</summary>
    public static void Close(int descriptor, string name)
    {
        if (LibcInterop.SetFilter(descriptor, SocketLevel, AttachFilter, [new FilterInstruction { Code = Return, Value = 0 }]) != 0)
        {
            throw DeviceException.Of(name, "the packet socket takes no filter", LibcInterop.LastError);
        }
    }

    /// <summary>Puts a bound socket into the group.</summary>
    public void Join(int descriptor, string name)
    {
        int wanted = _number >= 0 ? _number | (ClassicProgram << ModeShift) : (ClassicProgram | UniqueNumber) << ModeShift;
        if (LibcInterop.SetOption(descriptor, PacketSocket.Level, Fanout, wanted) != 0
            || LibcInterop.GetOption(descriptor, PacketSocket.Level, Fanout, out int joined) != 0)
        {
            throw DeviceException.Of(
                name, "its frames cannot be shared by several workers (PACKET_FANOUT)", LibcInterop.LastError, "--workers 1 needs no sharing");
        }

        _number = joined & NumberMask;
        _ = LibcInterop.SetOption(descriptor, SocketLevel, DetachFilter, 0);
    }

    /// <summary>Has a program choose each frame's socket from now on: the number that it returns, in the order of joining. By any socket of the group.</summary>
    /// <returns>Whether the kernel took it; otherwise the one before stays.</returns>
    public static bool Steer(int descriptor, ReadOnlySpan<FilterInstruction> program) =>
        LibcInterop.SetFilter(descriptor, PacketSocket.Level, Program, program) == 0;

    /// <summary>struct sock_filter: one instruction of the classic packet filter.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct FilterInstruction
    {
        public ushort Code;
        public byte JumpTrue;
        public byte JumpFalse;
        public uint Value;
    }
}
