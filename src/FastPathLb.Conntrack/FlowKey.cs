using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastPathLb.Wire;

namespace FastPathLb.Conntrack;

/// <summary>
/// One direction of a flow as it is seen on the wire: the key under which a connection is found. 16 bytes, kept as two words: keys are
/// made, hashed and compared all the time, and a word that was stored in parts cannot be loaded whole without waiting.
/// </summary>
/// <remarks>
/// <code>
/// word 0: 63..32 destination | 31..0 source
/// word 1: 63..48 network | 47..40 kind | 39..32 protocol | 31..16 destination port | 15..0 source port
/// </code>
/// All numbers are in host order. ICMP queries put their identifier into the source port and type and code into the target port,
/// as nf_conntrack_tuple does. <see cref="Network"/> tells namespaces apart that share a table.
/// </remarks>
[StructLayout(LayoutKind.Sequential)]
public struct FlowKey : IEquatable<FlowKey>
{
    private ulong _addresses;
    private ulong _rest;

    /// <summary>Source address.</summary>
    public uint Source
    {
        readonly get => (uint)_addresses;
        set => _addresses = (_addresses & 0xFFFFFFFF_00000000) | value;
    }

    /// <summary>Destination address.</summary>
    public uint Destination
    {
        readonly get => (uint)(_addresses >> 32);
        set => _addresses = (uint)_addresses | ((ulong)value << 32);
    }

    /// <summary>Source port, or the ICMP identifier.</summary>
    public ushort SourcePort
    {
        readonly get => (ushort)_rest;
        set => _rest = (_rest & ~0xFFFFUL) | value;
    }

    /// <summary>Destination port, or ICMP type (high byte) and code.</summary>
    public ushort DestinationPort
    {
        readonly get => (ushort)(_rest >> 16);
        set => _rest = (_rest & ~0xFFFF0000UL) | ((ulong)value << 16);
    }

    /// <summary>IP protocol.</summary>
    public IpProtocol Protocol
    {
        readonly get => (IpProtocol)(byte)(_rest >> 32);
        set => _rest = (_rest & ~(0xFFUL << 32)) | ((ulong)value << 32);
    }

    /// <summary>What the key stands for: an ordinary flow or a persistence template.</summary>
    public FlowKind Kind
    {
        readonly get => (FlowKind)(byte)(_rest >> 40);
        set => _rest = (_rest & ~(0xFFUL << 40)) | ((ulong)value << 40);
    }

    /// <summary>Namespace the flow is in.</summary>
    public ushort Network
    {
        readonly get => (ushort)(_rest >> 48);
        set => _rest = (_rest & ~(0xFFFFUL << 48)) | ((ulong)value << 48);
    }

    /// <summary>The first word: source in the lower, destination in the upper half.</summary>
    public readonly ulong Addresses => _addresses;

    /// <summary>The second word: source port, destination port, protocol, kind and network, from the lowest bits on.</summary>
    public readonly ulong Rest => _rest;

    /// <summary>The key from its two words.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FlowKey FromWords(ulong addresses, ulong rest) => new() { _addresses = addresses, _rest = rest };

    /// <summary>The opposite direction.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly FlowKey Reverse() => FromWords(
        BitOperations.RotateLeft(_addresses, 32),
        (_rest & 0xFFFFFFFF_00000000) | BitOperations.RotateLeft((uint)_rest, 16));

    /// <summary>Whether both keys are the same flow in the same direction.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool Matches(FlowKey other) => Matches(other._addresses, other._rest);

    /// <summary>Whether the key consists of these words.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool Matches(ulong addresses, ulong rest) => ((_addresses ^ addresses) | (_rest ^ rest)) == 0;

    /// <summary>The seeded hash: two multiplications of 64 bits, so that nobody without the seed can aim at one bucket.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly ulong Hash(ulong seed) => Hash(_addresses, _rest, seed);

    /// <summary>The hash of a key's two words.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Hash(ulong addresses, ulong rest, ulong seed)
    {
        ulong mixed = Mixing.Multiply(addresses ^ seed, rest ^ 0x9E3779B97F4A7C15);
        return Mixing.Multiply(mixed ^ seed, 0xD6E8FEB86659FD93);
    }

    /// <summary>Whether both keys are the same flow in the same direction.</summary>
    public static bool operator ==(FlowKey left, FlowKey right) => left.Matches(right);

    /// <summary>Whether the keys differ.</summary>
    public static bool operator !=(FlowKey left, FlowKey right) => !left.Matches(right);

    /// <inheritdoc/>
    public readonly bool Equals(FlowKey other) => Matches(other);

    /// <inheritdoc/>
    public override readonly bool Equals(object? obj) => obj is FlowKey other && Matches(other);

    /// <summary>A hash for dictionaries of the library's; the connection table's is seeded: <see cref="Hash(ulong)"/>.</summary>
    public override readonly int GetHashCode() => HashCode.Combine(_addresses, _rest);

    /// <inheritdoc/>
    public override readonly string ToString() =>
        $"{Protocol} {new Ipv4Address(Source)}:{SourcePort} > {new Ipv4Address(Destination)}:{DestinationPort}";
}
