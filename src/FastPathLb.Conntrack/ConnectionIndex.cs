using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace FastPathLb.Conntrack;

/// <summary>
/// Flow key → connection number and direction. Lines of eight slots, found by hash, compared by tag; two slots per connection.
/// </summary>
/// <remarks>
/// <code>
/// slot word:  63 passed | 62 tentative | 61..32 tag (30 bits of the hash) | 31 direction | 30..0 connection number + 1
/// </code>
/// An all-zero number is an empty slot. <c>passed</c> lives in slot 0 alone: an insert went on to the next line because this one
/// was full, so a search must go on too. It is never cleared, which costs later misses one more line at the worst.
/// Reading never waits. An insert publishes with one CAS and is <c>tentative</c> until it has looked for a rival with the same
/// key; see README.md for the proof sketch. Any thread.
/// </remarks>
public sealed class ConnectionIndex : IDisposable
{
    /// <summary>Slots of a line.</summary>
    public const int SlotsPerLine = 8;

    /// <summary>Lines an insert tries before it gives up: the table is full, or somebody found the seed.</summary>
    public const int ProbeLinesMax = 16;

    private const int TagBits = 30;
    private const int TagShift = 32;
    private const ulong Passed = 1ul << 63;
    private const ulong Tentative = 1ul << 62;
    private const ulong TagMask = ((1ul << TagBits) - 1) << TagShift;
    private const ulong NumberMask = (1ul << 31) - 1;
    private const ulong DirectionBit = 1ul << 31;

    private readonly Slab<Line> _lines;
    private readonly Slab<Connection> _connections;
    private readonly uint _lineCount;

    /// <summary>Makes an index for a number of connections.</summary>
    /// <param name="connections">Their records.</param>
    /// <param name="placement">Which NUMA nodes its memory lies on.</param>
    public ConnectionIndex(Slab<Connection> connections, MemoryPlacement placement = default)
    {
        _connections = connections;

        // 70 % full when every connection has both slots in use.
        long slots = (long)connections.Count * 2 * 10 / 7;
        _lineCount = (uint)Math.Max((slots + SlotsPerLine - 1) / SlotsPerLine, 2);
        _lines = new Slab<Line>((int)_lineCount, placement);
    }

    /// <summary>Eight slots, one cache line.</summary>
    [StructLayout(LayoutKind.Sequential, Size = SlotsPerLine * sizeof(ulong))]
    private struct Line
    {
        public ulong First;
    }

    /// <summary>Whether several threads insert and remove: then slots are taken by CAS, else by plain stores.</summary>
    public bool IsShared { get; init; } = true;

    /// <summary>The lines where hashes begin, by address and number alone.</summary>
    internal readonly struct Homes
    {
        private readonly SlabElements<Line> _lines;
        private readonly uint _lineCount;

        /// <summary>Takes them from an index.</summary>
        public Homes(ConnectionIndex index) => (_lines, _lineCount) = (index._lines.Elements, index._lineCount);

        /// <summary>Asks for the line where a hash begins.</summary>
        /// <returns>The line's number.</returns>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public uint Prefetch(ulong hash)
        {
            uint home = Home(hash, _lineCount);
            _lines.Prefetch((int)home);
            return home;
        }

        /// <summary>Reads a word of a line.</summary>
        /// <returns>See <see cref="SlabElements{T}.Touch"/>.</returns>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public ulong Touch(uint line) => _lines.Touch((int)line);

        /// <summary>
        /// The first entry in the line where a hash begins whose tag matches, without touching the connection's memory: what to prefetch.
        /// </summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public IndexEntry Candidate(uint home, ulong hash)
        {
            ref Line line = ref _lines[(int)home];
            Vector512<ulong> differences = Vector512.LoadUnsafe(ref line.First) ^ Vector512.Create(Tag(hash));
            ulong match = Vector512.Equals(
                differences & Vector512.Create(TagMask | Tentative), Vector512<ulong>.Zero).ExtractMostSignificantBits();
            return match == 0 ? default : IndexEntry.OfSlot(SlotOf(ref line, BitOperations.TrailingZeroCount(match)));
        }
    }

    /// <summary>Size of the memory in bytes.</summary>
    public long SizeBytes => _lines.SizeBytes;

    /// <summary>Finds a key.</summary>
    public bool TryFind(FlowKey key, ulong hash, out int number, out FlowDirection direction)
    {
        ulong tag = Tag(hash);
        uint lineIndex = Home(hash);
        for (int probe = 0; probe < ProbeLinesMax; probe++)
        {
            ref Line line = ref _lines[(int)lineIndex];
            for (ulong match = MatchTags(ref line, tag); match != 0; match &= match - 1)
            {
                ulong word = SlotOf(ref line, BitOperations.TrailingZeroCount(match));
                if ((word & NumberMask) == 0 || (word & Tentative) != 0)
                {
                    continue;
                }

                int candidate = (int)(word & NumberMask) - 1;
                ref Connection connection = ref _connections[candidate];
                if ((word & DirectionBit) == 0 ? connection.Original.Matches(key) : connection.Reply.Matches(key))
                {
                    number = candidate;
                    direction = (word & DirectionBit) == 0 ? FlowDirection.Original : FlowDirection.Reply;
                    return true;
                }
            }

            if ((Volatile.Read(ref SlotAt(ref line, 0)) & Passed) == 0)
            {
                break;
            }

            lineIndex = lineIndex + 1 == _lineCount ? 0 : lineIndex + 1;
        }

        number = -1;
        direction = FlowDirection.Original;
        return false;
    }

    /// <summary>Publishes a key of a connection whose record is complete, unless a rival holds the same key.</summary>
    public IndexInsert TryInsert(FlowKey key, ulong hash, int number, FlowDirection direction)
    {
        ulong word = Tag(hash) | (direction == FlowDirection.Reply ? DirectionBit : 0) | (uint)(number + 1);
        if (!IsShared)
        {
            return InsertAlone(key, hash, word);
        }

        for (int attempt = 0; ; attempt++)
        {
            if (!TryPlace(hash, word | Tentative, out uint lineIndex, out int slot))
            {
                return IndexInsert.Full;
            }

            switch (FindRival(key, hash, lineIndex, slot))
            {
                case Rival.None:
                    // Publishes the key to everybody; nobody else writes this slot while it holds our number.
                    SetNumber(ref _lines[(int)lineIndex], slot, word);
                    return IndexInsert.Done;
                case Rival.Committed:
                    SetNumber(ref _lines[(int)lineIndex], slot, 0);
                    return IndexInsert.Taken;
                default:
                    // Two inserts of one key met: both withdraw, one comes back sooner.
                    SetNumber(ref _lines[(int)lineIndex], slot, 0);
                    Thread.SpinWait(1 + ((number * 7) & 31) + (attempt << 2));
                    break;
            }
        }
    }

    /// <summary>Takes a key out. The connection's record must still hold it.</summary>
    public bool Remove(ulong hash, int number, FlowDirection direction)
    {
        ulong wanted = Tag(hash) | (direction == FlowDirection.Reply ? DirectionBit : 0) | (uint)(number + 1);
        uint lineIndex = Home(hash);
        for (int probe = 0; probe < ProbeLinesMax; probe++)
        {
            ref Line line = ref _lines[(int)lineIndex];
            for (int slot = 0; slot < SlotsPerLine; slot++)
            {
                if ((Volatile.Read(ref SlotAt(ref line, slot)) & ~(Passed | Tentative)) == wanted)
                {
                    if (IsShared)
                    {
                        SetNumber(ref line, slot, 0);
                    }
                    else
                    {
                        SlotAt(ref line, slot) &= Passed;
                    }

                    return true;
                }
            }

            if ((Volatile.Read(ref SlotAt(ref line, 0)) & Passed) == 0)
            {
                break;
            }

            lineIndex = lineIndex + 1 == _lineCount ? 0 : lineIndex + 1;
        }

        return false;
    }

    /// <inheritdoc/>
    public void Dispose() => _lines.Dispose();

    private enum Rival
    {
        None,
        Tentative,
        Committed,
    }

    // The lowest bits of the hash at the tag's place: two shifts, since a mask of 64 bits is an instruction more.
    private static ulong Tag(ulong hash) => (hash << (64 - TagBits)) >> (64 - TagBits - TagShift);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private uint Home(ulong hash) => Home(hash, _lineCount);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Home(ulong hash, uint lineCount) => (uint)(((hash >> 32) * lineCount) >> 32);

    private static ulong SlotOf(ref Line line, int slot) => Volatile.Read(ref SlotAt(ref line, slot));

    // A slot number is below SlotsPerLine everywhere: loops over the line, or the position of a bit of its eight.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref ulong SlotAt(ref Line line, int slot) => ref Unsafe.Add(ref line.First, slot);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong MatchTags(ref Line line, ulong tag)
    {
        Vector512<ulong> words = Vector512.LoadUnsafe(ref SlotAt(ref line, 0));
        return Vector512.Equals(words & Vector512.Create(TagMask), Vector512.Create(tag)).ExtractMostSignificantBits();
    }

    /// <summary>The same where no other thread inserts: rivals and a free slot are looked for in one pass.</summary>
    private IndexInsert InsertAlone(FlowKey key, ulong hash, ulong word)
    {
        ulong tag = Tag(hash);
        uint lineIndex = Home(hash);
        ref ulong free = ref Unsafe.NullRef<ulong>();
        for (int probe = 0; probe < ProbeLinesMax; probe++)
        {
            ref Line line = ref _lines[(int)lineIndex];
            for (ulong match = MatchTags(ref line, tag); match != 0; match &= match - 1)
            {
                ulong there = SlotAt(ref line, BitOperations.TrailingZeroCount(match));
                if ((there & NumberMask) == 0)
                {
                    continue;
                }

                ref Connection connection = ref _connections[(int)(there & NumberMask) - 1];
                if ((there & DirectionBit) == 0 ? connection.Original.Matches(key) : connection.Reply.Matches(key))
                {
                    return IndexInsert.Taken;
                }
            }

            if (Unsafe.IsNullRef(ref free))
            {
                Vector512<ulong> numbers = Vector512.LoadUnsafe(ref SlotAt(ref line, 0)) & Vector512.Create(NumberMask);
                ulong empty = Vector512.Equals(numbers, Vector512<ulong>.Zero).ExtractMostSignificantBits();
                if (empty != 0)
                {
                    free = ref SlotAt(ref line, BitOperations.TrailingZeroCount(empty));
                }
            }

            if ((SlotAt(ref line, 0) & Passed) == 0)
            {
                if (!Unsafe.IsNullRef(ref free))
                {
                    break;
                }

                SlotAt(ref line, 0) |= Passed;
            }

            lineIndex = lineIndex + 1 == _lineCount ? 0 : lineIndex + 1;
        }

        if (Unsafe.IsNullRef(ref free))
        {
            return IndexInsert.Full;
        }

        free = word | (free & Passed);
        return IndexInsert.Done;
    }

    private bool TryPlace(ulong hash, ulong word, out uint lineIndex, out int slot)
    {
        lineIndex = Home(hash);
        for (int probe = 0; probe < ProbeLinesMax; probe++)
        {
            ref Line line = ref _lines[(int)lineIndex];
            for (slot = 0; slot < SlotsPerLine; slot++)
            {
                ulong there = Volatile.Read(ref SlotAt(ref line, slot));

                // Takes the slot; if it loses, somebody else took it and the next slot is tried.
                if ((there & NumberMask) == 0
                    && Interlocked.CompareExchange(ref SlotAt(ref line, slot), word | (there & Passed), there) == there)
                {
                    return true;
                }
            }

            // Tells searches to go on to the next line, before the word can be there.
            Interlocked.Or(ref SlotAt(ref line, 0), Passed);
            lineIndex = lineIndex + 1 == _lineCount ? 0 : lineIndex + 1;
        }

        slot = -1;
        return false;
    }

    private Rival FindRival(FlowKey key, ulong hash, uint ownLine, int ownSlot)
    {
        ulong tag = Tag(hash);
        uint lineIndex = Home(hash);
        Rival rival = Rival.None;
        for (int probe = 0; probe < ProbeLinesMax; probe++)
        {
            ref Line line = ref _lines[(int)lineIndex];
            for (ulong match = MatchTags(ref line, tag); match != 0; match &= match - 1)
            {
                int slot = BitOperations.TrailingZeroCount(match);
                ulong word = SlotOf(ref line, slot);
                if ((word & NumberMask) == 0 || (lineIndex == ownLine && slot == ownSlot))
                {
                    continue;
                }

                ref Connection connection = ref _connections[(int)(word & NumberMask) - 1];
                if ((word & DirectionBit) == 0 ? connection.Original.Matches(key) : connection.Reply.Matches(key))
                {
                    if ((word & Tentative) == 0)
                    {
                        return Rival.Committed;
                    }

                    rival = Rival.Tentative;
                }
            }

            if ((Volatile.Read(ref SlotAt(ref line, 0)) & Passed) == 0)
            {
                break;
            }

            lineIndex = lineIndex + 1 == _lineCount ? 0 : lineIndex + 1;
        }

        return rival;
    }

    // Slot 0 carries the line's "passed" bit, which others may set at any time.
    private static void SetNumber(ref Line line, int slot, ulong word)
    {
        if (slot != 0)
        {
            Volatile.Write(ref SlotAt(ref line, slot), word);
            return;
        }

        ulong there;
        do
        {
            there = Volatile.Read(ref SlotAt(ref line, 0));
        }
        while (Interlocked.CompareExchange(ref SlotAt(ref line, 0), word | (there & Passed), there) != there);
    }
}
