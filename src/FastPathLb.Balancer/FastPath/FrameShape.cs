using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastPathLb.Conntrack;

namespace FastPathLb.Balancer.FastPath;

/// <summary>What the first look at a frame found.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FrameShape
{
    /// <summary>The flow, where <see cref="Kind"/> says that there is one: addresses, as the first word of its key.</summary>
    public ulong Addresses;

    /// <summary>The second word of its key.</summary>
    public ulong Rest;

    /// <summary>The key's hash.</summary>
    public ulong Hash;

    /// <summary>Offset in the arena of the IPv4 header, the inner one of a tunnelled frame.</summary>
    public int Start;

    /// <summary>The index line where the key would be.</summary>
    public uint Line;

    /// <summary>The connection whose tag matches the hash; once it was looked at, the flow's own.</summary>
    public IndexEntry Entry;

    /// <summary>What the frame is.</summary>
    public FrameKind Kind;

    /// <summary>Whether the envelope has a UDP checksum that was found right over the packet and nothing behind it.</summary>
    public bool IsSummed;

    /// <summary>IPv4 total length.</summary>
    public ushort LengthBytes;

    /// <summary>Number of the headers towards the next hop, once they are known.</summary>
    public ushort Link;

    /// <summary>Number of what was decided about such packets, once it is known.</summary>
    public ushort Decision;

    /// <summary><see cref="IsSummed"/> in the word that <see cref="SetKindAndLength"/> takes.</summary>
    public const uint SummedBit = 1 << 8;

    /// <summary>The flow's key.</summary>
    public readonly FlowKey Key => FlowKey.FromWords(Addresses, Rest);

    /// <summary>
    /// Takes <see cref="Kind"/>, <see cref="IsSummed"/> and <see cref="LengthBytes"/> as the word that they are side by side: little-endian
    /// machines only.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetKindAndLength(uint word) => Unsafe.As<FrameKind, uint>(ref Kind) = word;
}
