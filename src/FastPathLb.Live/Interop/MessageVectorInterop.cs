using System.Runtime.InteropServices;

namespace FastPathLb.Live.Interop;

/// <summary>Frames to be sent in one system call (sendmmsg(2)).</summary>
/// <remarks>
/// Sound because the vectors are native memory that lives until <see cref="Dispose"/>, and the frames lie in a batch's arena, which is
/// pinned for good: a pointer taken of it stays right after the <c>fixed</c> block that took it.
/// </remarks>
internal sealed unsafe class MessageVectorInterop : IDisposable
{
    private readonly Message* _messages;
    private readonly Slice* _slices;

    public MessageVectorInterop(int capacity)
    {
        Capacity = capacity;
        _messages = (Message*)NativeMemory.AllocZeroed((nuint)capacity, (nuint)sizeof(Message));
        _slices = (Slice*)NativeMemory.AllocZeroed((nuint)capacity, (nuint)sizeof(Slice));
        for (int index = 0; index < capacity; index++)
        {
            _messages[index].Slices = _slices + index;
            _messages[index].SliceCount = 1;
        }
    }

    /// <summary>Most frames in one call.</summary>
    public int Capacity { get; }

    /// <summary>Puts a frame of a pinned arena into the vector.</summary>
    public void Set(int index, ReadOnlySpan<byte> pinned)
    {
        fixed (byte* start = pinned)
        {
            _slices[index].Start = start;
            _slices[index].LengthBytes = (nuint)pinned.Length;
        }
    }

    /// <summary>Sends some of the vector.</summary>
    /// <returns>How many went, or -1 with the system's error, which is about the first.</returns>
    public int Send(int descriptor, int first, int count) => LibcInterop.SendMessages(descriptor, _messages + first, (uint)count, 0);

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.Free(_messages);
        NativeMemory.Free(_slices);
    }

    /// <summary>struct mmsghdr.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Message
    {
        public void* Name;
        public uint NameBytes;
        public Slice* Slices;
        public nuint SliceCount;
        public void* Control;
        public nuint ControlBytes;
        public int Flags;
        public uint SentBytes;
    }

    /// <summary>struct iovec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Slice
    {
        public void* Start;
        public nuint LengthBytes;
    }
}
