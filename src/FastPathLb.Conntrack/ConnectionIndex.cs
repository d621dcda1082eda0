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
/// slot word:  63..59 passed | 58 tentative | 57..32 tag (26 bits of the hash) | 31 direction | 30..0 connection number + 1
/// </code>
/// An all-zero number is an empty slot. <c>passed</c> lives in slot 0 alone: so many keys lie beyond this line because it was full when
/// they came, and a search must go on while there are any. 31 stands for more than were counted, and stays.
/// Reading never waits. An insert publishes with one CAS and is <c>tentative</c> until it has looked for a rival with the same
/// key; see README.md for the proof sketch. Any thread.
/// </remarks>
public sealed class ConnectionIndex : IDisposable
{
    /// <summary>Slots of a line.</summary>
    public const int SlotsPerLine = 8;

    /// <summary>Lines an insert tries before it gives up: the table is full, or somebody found the seed.</summary>
    public const int ProbeLinesMax = 16;

    private const int TagBits = 26;
    private const int TagShift = 32;
    private const ulong PassedOnce = 1ul << 59;
    private const ulong Passed = 31 * PassedOnce;
    private const ulong Tentative = 1ul << 58;
    private const ulong TagMask = ((1ul << TagBits) - 1) << TagShift;
    private const ulong NumberMask = (1ul << 31) - 1;
    private const int DirectionShift = 31;
    private const ulong DirectionBit = 1ul << DirectionShift;

    private readonly Slab<Line> _memory;
    private readonly SlabElements<Line> _lines;
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
        _memory = new Slab<Line>((int)_lineCount, placement);
        _lines = _memory.Elements;
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
        public Homes(ConnectionIndex index) => (_lines, _lineCount) = (index._lines, index._lineCount);

        /// <summary>The line where a hash begins.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public uint LineOf(ulong hash) => Home(hash, _lineCount);

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
        /// The first entry from the line on where a hash begins whose tag matches, without touching the connection's memory: what to prefetch.
        /// </summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public IndexEntry Candidate(uint home, ulong hash)
        {
            ref Line line = ref _lines[(int)home];
            ulong match = MatchCommitted(ref line, hash);
            return match != 0 ? IndexEntry.OfSlot(SlotOf(ref line, BitOperations.TrailingZeroCount(match)))
                : (line.First & Passed) == 0 ? default : CandidateBeyond(home, hash);
        }

        /// <summary>The slot that a key with this hash would be put into, where it is surely not in the index.</summary>
        /// <param name="home">The hash's line.</param>
        /// <param name="hash">The hash.</param>
        /// <param name="candidate">The first entry of the line whose tag matches: see <see cref="Candidate"/>.</param>
        /// <returns>None where there is such an entry, or where the line is full or was.</returns>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public IndexVacancy Vacancy(uint home, ulong hash, out IndexEntry candidate)
        {
            ref Line line = ref _lines[(int)home];
            ulong match = MatchCommitted(ref line, hash);
            if (match != 0)
            {
                candidate = IndexEntry.OfSlot(SlotOf(ref line, BitOperations.TrailingZeroCount(match)));
                return default;
            }

            candidate = default;
            ulong empty = EmptySlots(ref line);
            return (line.First & Passed) != 0 || empty == 0
                ? default : new IndexVacancy(((ulong)home * SlotsPerLine) + (uint)BitOperations.Log2(empty));
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private IndexEntry CandidateBeyond(uint home, ulong hash)
        {
            for (int probe = 1; probe < ProbeLinesMax; probe++)
            {
                home = home + 1 == _lineCount ? 0 : home + 1;
                ref Line line = ref _lines[(int)home];
                ulong match = MatchCommitted(ref line, hash);
                if (match != 0)
                {
                    return IndexEntry.OfSlot(SlotOf(ref line, BitOperations.TrailingZeroCount(match)));
                }

                if ((line.First & Passed) == 0)
                {
                    break;
                }
            }

            return default;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static ulong MatchCommitted(ref Line line, ulong hash)
        {
            Vector512<ulong> differences = Vector512.LoadUnsafe(ref line.First) ^ Vector512.Create(Tag(hash));
            return Vector512.Equals(
                differences & Vector512.Create(TagMask | Tentative), Vector512<ulong>.Zero).ExtractMostSignificantBits();
        }
    }

    /// <summary>Size of the memory in bytes.</summary>
    public long SizeBytes => _memory.SizeBytes;

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

            lineIndex = Next(lineIndex);
        }

        number = -1;
        direction = FlowDirection.Original;
        return false;
    }

    /// <summary>Publishes a key of a connection whose record is complete, unless a rival holds the same key.</summary>
    public IndexInsert TryInsert(FlowKey key, ulong hash, int number, FlowDirection direction)
    {
        ulong word = WordOf(hash, number, direction);
        return IsShared ? InsertShared(key, hash, word) : InsertAlone(key, hash, word);
    }

    /// <summary>
    /// The same for a key for which <see cref="Homes.Vacancy"/> has found a slot, by the thread that has inserted nothing since: where no
    /// other thread inserts, no rival is looked for; else in the key's home line alone, as long as no key lies beyond that.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public IndexInsert TryInsertAt(IndexVacancy vacancy, FlowKey key, ulong hash, int number, FlowDirection direction)
    {
        ref ulong free = ref Unsafe.Add(ref _lines[0].First, vacancy.Slot);
        ulong word = WordOf(hash, number, direction);
        if (IsShared)
        {
            return InsertAmongRivals(ref free, (int)(vacancy.Slot % SlotsPerLine), key, hash, word);
        }

        free = word | (free & Passed);
        return IndexInsert.Done;
    }

    /// <summary>Takes a key out. The connection's record must still hold it.</summary>
    public bool Remove(ulong hash, int number, FlowDirection direction)
    {
        ulong wanted = WordOf(hash, number, direction);
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
                        Withdraw(hash, lineIndex, slot);
                    }
                    else
                    {
                        SlotAt(ref line, slot) &= Passed;
                        for (uint passed = Home(hash); passed != lineIndex; passed = Next(passed))
                        {
                            Count(ref SlotAt(ref _lines[(int)passed], 0), isPassed: false);
                        }
                    }

                    return true;
                }
            }

            if ((Volatile.Read(ref SlotAt(ref line, 0)) & Passed) == 0)
            {
                break;
            }

            lineIndex = Next(lineIndex);
        }

        return false;
    }

    /// <summary>The counts of keys that lie beyond a line, of all lines together: how many lines more are read where all keys are found once.</summary>
    internal int CountPassed()
    {
        int count = 0;
        for (int line = 0; line < _lineCount; line++)
        {
            count += (int)(SlotOf(ref _lines[line], 0) / PassedOnce);
        }

        return count;
    }

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();

    private enum Rival
    {
        None,
        Tentative,
        Committed,
    }

    // The lowest bits of the hash at the tag's place: two shifts, since a mask of 64 bits is an instruction more.
    private static ulong Tag(ulong hash) => (hash << (64 - TagBits)) >> (64 - TagBits - TagShift);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong WordOf(ulong hash, int number, FlowDirection direction) =>
        Tag(hash) | ((ulong)direction << DirectionShift) | (uint)(number + 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private uint Home(ulong hash) => Home(hash, _lineCount);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Home(ulong hash, uint lineCount) => (uint)(((hash >> 32) * lineCount) >> 32);

    private uint Next(uint lineIndex) => lineIndex + 1 == _lineCount ? 0 : lineIndex + 1;

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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong EmptySlots(ref Line line)
    {
        Vector512<ulong> numbers = Vector512.LoadUnsafe(ref SlotAt(ref line, 0)) & Vector512.Create(NumberMask);
        return Vector512.Equals(numbers, Vector512<ulong>.Zero).ExtractMostSignificantBits();
    }

    /// <summary>The same where no other thread inserts: rivals and a free slot are looked for in one pass.</summary>
    private IndexInsert InsertAlone(FlowKey key, ulong hash, ulong word)
    {
        ulong tag = Tag(hash);
        uint lineIndex = Home(hash);
        uint freeLine = lineIndex;
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
                ulong empty = EmptySlots(ref line);
                if (empty != 0)
                {
                    free = ref SlotAt(ref line, BitOperations.TrailingZeroCount(empty));
                    freeLine = lineIndex;
                }
            }

            if ((SlotAt(ref line, 0) & Passed) == 0 && !Unsafe.IsNullRef(ref free))
            {
                break;
            }

            lineIndex = Next(lineIndex);
        }

        if (Unsafe.IsNullRef(ref free))
        {
            return IndexInsert.Full;
        }

        free = word | (free & Passed);
        for (uint passed = Home(hash); passed != freeLine; passed = Next(passed))
        {
            Count(ref SlotAt(ref _lines[(int)passed], 0), isPassed: true);
        }

        return IndexInsert.Done;
    }

    /// <summary>Inserts into a slot of the home line that was empty and is probably still: the three steps without loops.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private IndexInsert InsertAmongRivals(ref ulong free, int slot, FlowKey key, ulong hash, ulong word)
    {
        if (Interlocked.CompareExchange(ref free, word | Tentative, 0) != 0)
        {
            return InsertShared(key, hash, word);
        }

        ref Line line = ref Unsafe.As<ulong, Line>(ref Unsafe.Subtract(ref free, slot));
        if (MatchTags(ref line, Tag(hash)) == 1ul << slot && (Volatile.Read(ref SlotAt(ref line, 0)) & Passed) == 0)
        {
            SetNumber(ref line, slot, word);
            return IndexInsert.Done;
        }

        return Settle(Home(hash), slot, key, hash, word) ?? InsertShared(key, hash, word);
    }

    private IndexInsert InsertShared(FlowKey key, ulong hash, ulong word)
    {
        for (int attempt = 0; ; attempt++)
        {
            if (!TryPlace(hash, word | Tentative, out uint lineIndex, out int slot))
            {
                return IndexInsert.Full;
            }

            if (Settle(lineIndex, slot, key, hash, word) is { } result)
            {
                return result;
            }

            Thread.SpinWait(1 + (((int)word * 7) & 31) + (attempt << 2));
        }
    }

    /// <summary>Commits a word that was placed, or withdraws it. Null where two inserts of one key met: both withdraw, one comes back sooner.</summary>
    private IndexInsert? Settle(uint lineIndex, int slot, FlowKey key, ulong hash, ulong word)
    {
        Rival rival = FindRival(key, hash, lineIndex, slot);
        if (rival == Rival.None)
        {
            // Publishes the key to everybody; nobody else writes this slot while it holds our number.
            SetNumber(ref _lines[(int)lineIndex], slot, word);
            return IndexInsert.Done;
        }

        Withdraw(hash, lineIndex, slot);
        return rival == Rival.Committed ? IndexInsert.Taken : null;
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
            CountShared(ref SlotAt(ref line, 0), isPassed: true);
            lineIndex = Next(lineIndex);
        }

        lineIndex = Home(hash);
        for (int probe = 0; probe < ProbeLinesMax; probe++)
        {
            CountShared(ref SlotAt(ref _lines[(int)lineIndex], 0), isPassed: false);
            lineIndex = Next(lineIndex);
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

            lineIndex = Next(lineIndex);
        }

        return rival;
    }

    /// <summary>Takes a word out of its slot, and then, since searches need no longer come so far, out of the count of the lines before.</summary>
    private void Withdraw(ulong hash, uint lineIndex, int slot)
    {
        SetNumber(ref _lines[(int)lineIndex], slot, 0);
        for (uint passed = Home(hash); passed != lineIndex; passed = Next(passed))
        {
            CountShared(ref SlotAt(ref _lines[(int)passed], 0), isPassed: false);
        }
    }

    private static void CountShared(ref ulong first, bool isPassed)
    {
        ulong there;
        ulong counted;
        do
        {
            counted = there = Volatile.Read(ref first);
            Count(ref counted, isPassed);
        }
        while (Interlocked.CompareExchange(ref first, counted, there) != there);
    }

    /// <summary>Counts a key that lies beyond the line, or does no longer. Who was not counted any more is not missed.</summary>
    private static void Count(ref ulong first, bool isPassed)
    {
        if ((first & Passed) != Passed)
        {
            first = isPassed ? first + PassedOnce : first - PassedOnce;
        }
    }

    // Slot 0 carries the line's count of those who passed, which others may change at any time.
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
