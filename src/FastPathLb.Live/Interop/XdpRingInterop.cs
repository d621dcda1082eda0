using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FastPathLb.Live.Interop;

/// <summary>One of the four rings that an AF_XDP socket shares with the kernel (Documentation/networking/af_xdp.rst).</summary>
/// <remarks>
/// Sound because libxdp fills the structure in with addresses of mappings that live as long as the socket, and the owner disposes of this after the
/// socket; indexes are masked by the ring's size. A producer's index is published after the entries before it were written, a consumer's
/// after they were read: <see cref="Volatile"/>'s release does both, and its acquire is the other side's counterpart.
/// </remarks>
internal sealed unsafe class XdpRingInterop : IDisposable
{
    private const uint NeedWakeup = 1;

    private readonly Layout* _ring = (Layout*)NativeMemory.AllocZeroed((nuint)sizeof(Layout));

    /// <summary>The structure for libxdp: struct xsk_ring_prod or xsk_ring_cons.</summary>
    public nint Address => (nint)_ring;

    /// <summary>Entries the ring has.</summary>
    public uint Size => _ring->Size;

    /// <summary>Whether the kernel sleeps and must be woken by a system call to look at the ring.</summary>
    public bool NeedsWakeup => (Volatile.Read(ref Unsafe.AsRef<uint>(_ring->Flags)) & NeedWakeup) != 0;

    /// <summary>As a consumer: how many entries wait.</summary>
    public uint Waiting => Volatile.Read(ref Unsafe.AsRef<uint>(_ring->Producer)) - *_ring->Consumer;

    /// <summary>As a producer: how many entries are free.</summary>
    public uint Free => _ring->Size - (*_ring->Producer - Volatile.Read(ref Unsafe.AsRef<uint>(_ring->Consumer)));

    /// <summary>As a producer: how many entries the kernel has not taken yet.</summary>
    public uint Unsent => *_ring->Producer - Volatile.Read(ref Unsafe.AsRef<uint>(_ring->Consumer));

    /// <summary>As a consumer: an address that waits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong AddressAt(uint index) => ((ulong*)_ring->Entries)[(*_ring->Consumer + index) & _ring->Mask];

    /// <summary>As a consumer: a frame that waits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public (ulong Address, int LengthBytes) FrameAt(uint index)
    {
        ref Descriptor entry = ref ((Descriptor*)_ring->Entries)[(*_ring->Consumer + index) & _ring->Mask];
        return (entry.Address, (int)entry.LengthBytes);
    }

    /// <summary>As a producer: writes an address into a free entry.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetAddress(uint index, ulong address) =>
        ((ulong*)_ring->Entries)[(*_ring->Producer + index) & _ring->Mask] = address;

    /// <summary>As a producer: writes a frame into a free entry.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetFrame(uint index, ulong address, int lengthBytes)
    {
        ref Descriptor entry = ref ((Descriptor*)_ring->Entries)[(*_ring->Producer + index) & _ring->Mask];
        entry.Address = address;
        entry.LengthBytes = (uint)lengthBytes;
        entry.Options = 0;
    }

    /// <summary>As a consumer: gives entries back.</summary>
    public void Release(uint count) => Volatile.Write(ref Unsafe.AsRef<uint>(_ring->Consumer), *_ring->Consumer + count);

    /// <summary>As a producer: hands entries over.</summary>
    public void Submit(uint count) => Volatile.Write(ref Unsafe.AsRef<uint>(_ring->Producer), *_ring->Producer + count);

    /// <inheritdoc/>
    public void Dispose() => NativeMemory.Free(_ring);

    /// <summary>struct xdp_desc.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Descriptor
    {
        public ulong Address;
        public uint LengthBytes;
        public uint Options;
    }

    /// <summary>struct xsk_ring_prod and xsk_ring_cons.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Layout
    {
        public uint CachedProducer;
        public uint CachedConsumer;
        public uint Mask;
        public uint Size;
        public uint* Producer;
        public uint* Consumer;
        public void* Entries;
        public uint* Flags;
    }
}
