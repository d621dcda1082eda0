using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FastPathLb.Live.Interop;

/// <summary>The receive ring of a packet socket, TPACKET_V3: memory that the kernel fills block by block.</summary>
/// <remarks>
/// Sound because the mapping is of the size that the kernel was asked for and lives until <see cref="Dispose"/>; a block is read only while its status
/// gives it to user space, and every offset that the kernel wrote is checked against the block's end before a span is made of it.
/// <code>
/// | block 0: version, -, status, packets, first ... | header, [virtio], frame | header, ... | block 1 ...
/// </code>
/// </remarks>
internal sealed unsafe class PacketRingInterop : IDisposable
{
    private const int ReadWrite = 3;
    private const int Shared = 1;
    private const uint OfUser = 1;
    private const int StatusOffset = 8;
    private const int CountOffset = 12;
    private const int FirstOffset = 16;
    private const int HeaderBytes = 48;

    private readonly byte* _start;
    private readonly uint _blockBytes;
    private readonly uint _blockCount;
    private uint _block;
    private uint _left;
    private uint _next;

    private PacketRingInterop(byte* start, uint blockBytes, uint blockCount)
    {
        _start = start;
        _blockBytes = blockBytes;
        _blockCount = blockCount;
    }

    /// <summary>Makes a socket's ring and maps it.</summary>
    public static PacketRingInterop Create(int descriptor, string name, uint blockBytes, uint blockCount, uint retireMilliseconds)
    {
        const uint FrameBytes = 2048;
        PacketSocket.RingRequest request = new()
        {
            BlockBytes = blockBytes,
            BlockCount = blockCount,
            FrameBytes = FrameBytes,
            FrameCount = blockBytes / FrameBytes * blockCount,
            RetireMilliseconds = retireMilliseconds,
        };
        if (LibcInterop.SetOption(descriptor, PacketSocket.Level, PacketSocket.ReceiveRing, request) != 0)
        {
            throw DeviceException.Of(name, "no receive ring can be made", LibcInterop.LastError);
        }

        nint memory = LibcInterop.MapMemory(0, (nuint)blockBytes * blockCount, ReadWrite, Shared, descriptor, 0);
        return memory != -1 ? new PacketRingInterop((byte*)memory, blockBytes, blockCount)
            : throw DeviceException.Of(name, "the receive ring cannot be mapped", LibcInterop.LastError);
    }

    /// <summary>The next frame, without taking it.</summary>
    /// <returns><see langword="false"/> where none is there yet.</returns>
    public bool TryPeek(out RingFrame frame)
    {
        while (_left == 0)
        {
            byte* block = _start + ((ulong)_block * _blockBytes);
            if ((Volatile.Read(ref Unsafe.AsRef<uint>(block + StatusOffset)) & OfUser) == 0)
            {
                frame = default;
                return false;
            }

            _left = *(uint*)(block + CountOffset);
            _next = *(uint*)(block + FirstOffset);
            if (_left == 0)
            {
                Release();
            }
        }

        Header* header = (Header*)(_start + ((ulong)_block * _blockBytes) + _next);
        bool isInside = (ulong)_next + HeaderBytes <= _blockBytes
            && (ulong)_next + header->MacOffset + header->CapturedBytes <= _blockBytes && header->MacOffset >= VirtualHeaderBytes;
        frame = isInside
            ? new RingFrame(
                new ReadOnlySpan<byte>((byte*)header + header->MacOffset - VirtualHeaderBytes, VirtualHeaderBytes),
                new ReadOnlySpan<byte>((byte*)header + header->MacOffset, (int)header->CapturedBytes), (int)header->WireBytes,
                header->Status, (ushort)header->VlanTag, header->VlanProtocol)
            : default;
        return true;
    }

    /// <summary>Takes the frame that was peeked at; its block goes back to the kernel with the last.</summary>
    public void Take()
    {
        Header* header = (Header*)(_start + ((ulong)_block * _blockBytes) + _next);
        _next += header->NextOffset;
        if (--_left == 0)
        {
            Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _ = LibcInterop.UnmapMemory((nint)_start, (nuint)_blockBytes * _blockCount);

    /// <summary>Bytes of struct virtio_net_hdr, which stands before each frame.</summary>
    public const int VirtualHeaderBytes = 10;

    private void Release()
    {
        // Everything read from the block must have been read before the kernel may write there.
        Volatile.Write(ref Unsafe.AsRef<uint>(_start + ((ulong)_block * _blockBytes) + StatusOffset), 0);
        _block = (_block + 1) % _blockCount;
        _left = 0;
    }

    /// <summary>struct tpacket3_hdr.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Header
    {
        public uint NextOffset;
        public uint Seconds;
        public uint Nanoseconds;
        public uint CapturedBytes;
        public uint WireBytes;
        public uint Status;
        public ushort MacOffset;
        public ushort NetworkOffset;
        public uint Hash;
        public uint VlanTag;
        public ushort VlanProtocol;
    }
}
