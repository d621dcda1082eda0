using System.Runtime.CompilerServices;

namespace FastPathLb.Conntrack;

/// <summary>
/// Where the index leads: a connection and the direction in it, as one word. The default leads nowhere.
/// </summary>
/// <remarks>
/// <code>
/// 31 direction | 30..0 connection number + 1: the lower half of a slot's word
/// </code>
/// </remarks>
public readonly struct IndexEntry
{
    private const int DirectionShift = 31;
    private const uint NumberMask = (1u << DirectionShift) - 1;

    private readonly uint _word;

    private IndexEntry(uint word) => _word = word;

    /// <summary>An entry for a connection.</summary>
    /// <param name="number">Its number, from 0.</param>
    /// <param name="direction">The direction in it.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public IndexEntry(int number, FlowDirection direction)
        : this((uint)(number + 1) | ((uint)direction << DirectionShift))
    {
    }

    /// <summary>Whether it leads nowhere.</summary>
    public bool IsNone => _word == 0;

    /// <summary>Number of the connection, or -1.</summary>
    public int Number => (int)(_word & NumberMask) - 1;

    /// <summary>Direction in the connection.</summary>
    public FlowDirection Direction => (FlowDirection)(_word >> DirectionShift);

    /// <summary>The entry in a slot's word.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static IndexEntry OfSlot(ulong word) => new((uint)word);
}
