using System.Numerics;
using System.Runtime.CompilerServices;

namespace FastPathLb.Conntrack;

/// <summary>
/// When to look at a connection again: a hierarchical timing wheel over connection numbers (Varghese and Lauck), with lists
/// threaded through two fixed arrays. Nothing is allocated after start.
/// </summary>
/// <remarks>
/// Four levels of 256 slots; a tick of 2^22 ns (4.2 ms, about the kernel's jiffy at HZ=250), so levels span 1.07 s, 4.6 min,
/// 19.5 h and 208 days. A connection that is due later than its slot is put back: prolonging a timeout needs no call here.
/// Slots and whole levels that are empty are jumped over, so that a leap of years costs as much as what is due in it.
/// Owned by one worker.
/// </remarks>
public sealed class TimingWheel : IDisposable
{
    /// <summary>Binary logarithm of a tick in nanoseconds.</summary>
    public const int TickShift = 22;

    private const int Levels = 4;
    private const int SlotBits = 8;
    private const int SlotsPerLevel = 1 << SlotBits;
    private const int SlotMask = SlotsPerLevel - 1;
    private const int None = -1;

    // List links by connection number, plus 1 so that zeroed memory is "none": next in the slot's list; previous, or minus the slot.
    private readonly Slab<Link> _memory;
    private readonly SlabElements<Link> _links;
    private readonly int[] _heads = new int[Levels * SlotsPerLevel];
    private readonly ulong[] _occupied = new ulong[Levels * SlotsPerLevel / 64];
    private long _tick;
    private bool _started;

    /// <summary>Makes a wheel for connection numbers below a count.</summary>
    public TimingWheel(int count)
        : this(new Slab<Link>(count))
    {
    }

    /// <summary>Makes a wheel over links that others' wheels use as well: each number is in one of them.</summary>
    internal TimingWheel(Slab<Link> links)
    {
        _memory = links;
        _links = links.Elements;

        // Not Array.Fill, whose vectors have no length before the program runs: it would be compiled then, which takes longer than this.
        for (int index = 0; index < _heads.Length; index++)
        {
            _heads[index] = None;
        }
    }

    /// <summary>A connection's place in the list of its slot.</summary>
    internal struct Link
    {
        public int Next;
        public int Previous;
    }

    /// <summary>Connections in the wheel.</summary>
    public int Count { get; private set; }

    /// <summary>
    /// When <see cref="TakeDue"/> may have something to give or to move, nanoseconds since the Unix epoch: before, it need not be
    /// called.
    /// </summary>
    public long NextDue =>
        !_started || _heads[(int)(_tick & SlotMask)] != None ? long.MinValue : (_tick + 1) << TickShift;

    /// <summary>
    /// The time that the wheel has come to, nanoseconds since the Unix epoch: in a leap, what is due later is put back, and so
    /// comes after what is due before it.
    /// </summary>
    public long Reached => _tick << TickShift;

    /// <summary>The first of the connections that come with the next tick, or -1.</summary>
    public int FirstOfNextTick => _heads[(int)((_tick + 1) & SlotMask)];

    /// <summary>Size of the memory in bytes.</summary>
    public long SizeBytes => _memory.SizeBytes;

    /// <summary>Fetches a connection's links.</summary>
    internal void Prefetch(int number) => _links.Prefetch(number);

    /// <summary>Puts a connection into the wheel.</summary>
    public void Add(int number, long dueNanoseconds)
    {
        long due = (dueNanoseconds >> TickShift) + 1;
        if (!_started)
        {
            _started = true;
            _tick = due - SlotsPerLevel;
        }

        Place(number, due);
        Count++;
    }

    /// <summary>Sets the wheel's time before the first connection is added, so that ticks count from there.</summary>
    public void Start(long nowNanoseconds)
    {
        if (!_started)
        {
            _started = true;
            _tick = nowNanoseconds >> TickShift;
        }
    }

    /// <summary>Takes a connection out.</summary>
    public void Remove(int number)
    {
        Unlink(number);
        Count--;
    }

    /// <summary>
    /// The next connection whose slot has come by <paramref name="nowNanoseconds"/>, taken out of the wheel, or -1. The caller
    /// looks whether it is due and adds it again where not.
    /// </summary>
    /// <param name="nowNanoseconds">Time.</param>
    /// <param name="budget">Slots that may still be passed; where it runs out, the rest comes with the next call.</param>
    public int TakeDue(long nowNanoseconds, ref int budget)
    {
        if (!_started)
        {
            return None;
        }

        long now = nowNanoseconds >> TickShift;
        if (now < _tick)
        {
            // The slot's records were due at a later time than this: taken and put back, they would be taken for ever.
            return None;
        }

        while (true)
        {
            int slot = (int)(_tick & SlotMask);
            int number = _heads[slot];
            if (number != None)
            {
                Remove(number);
                return number;
            }

            if (_tick == now || budget <= 0)
            {
                return None;
            }

            if (Count == 0)
            {
                _tick = now;
                return None;
            }

            Advance(now);
            budget--;
        }
    }

    /// <summary>The connection that comes with the same tick after another one, or -1.</summary>
    public int NextOf(int number) => _links[number].Next - 1;

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();

    private void Advance(long now)
    {
        _tick = Math.Min(now, NextEvent());
        for (int level = 1; level < Levels && (_tick & ((1L << (level * SlotBits)) - 1)) == 0; level++)
        {
            Cascade((level * SlotsPerLevel) + (int)((_tick >> (level * SlotBits)) & SlotMask));
        }
    }

    /// <summary>
    /// The next tick at which a slot comes that holds something: of the lowest level, or where that is empty, of the next one
    /// above it, and so on. Slots behind the hand belong to the level's next round, which begins with its first slot.
    /// </summary>
    private long NextEvent()
    {
        for (int level = 0; ; level++)
        {
            int shift = level * SlotBits;
            long position = _tick >> shift;
            int occupied = NextOccupied(level, (int)(position & SlotMask) + 1);
            if (occupied != None)
            {
                return ((position & ~(long)SlotMask) + occupied) << shift;
            }

            if (level == Levels - 1 || NextOccupied(level, 0) != None)
            {
                return ((position | SlotMask) + 1) << shift;
            }
        }
    }

    private int NextOccupied(int level, int from)
    {
        for (int word = from >> 6; word < SlotsPerLevel / 64; word++)
        {
            ulong bits = _occupied[(level * SlotsPerLevel / 64) + word];
            if (word == from >> 6)
            {
                bits &= ulong.MaxValue << (from & 63);
            }

            if (bits != 0)
            {
                return (word << 6) + BitOperations.TrailingZeroCount(bits);
            }
        }

        return None;
    }

    private void Cascade(int slot)
    {
        int number = _heads[slot];
        _heads[slot] = None;
        _occupied[slot >> 6] &= ~(1ul << (slot & 63));
        while (number != None)
        {
            int next = _links[number].Next - 1;

            // Its exact tick is not kept: put it at the start of the slot's span, where the caller looks at its record.
            Place(number, _tick);
            number = next;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Place(int number, long due)
    {
        long distance = due - _tick;
        int level = distance < SlotsPerLevel ? 0 : distance < 1L << (2 * SlotBits) ? 1 : distance < 1L << (3 * SlotBits) ? 2 : 3;
        if (distance < 0)
        {
            due = _tick;
        }
        else if (distance >= 1L << (Levels * SlotBits))
        {
            due = _tick + (1L << (Levels * SlotBits)) - 1;
        }

        int slot = (level * SlotsPerLevel) + (int)((due >> (level * SlotBits)) & SlotMask);
        ref int first = ref _heads[slot];
        int head = first;
        ref Link link = ref _links[number];
        link.Next = head + 1;
        link.Previous = -(slot + 1);
        if (head != None)
        {
            _links[head].Previous = number + 1;
        }

        first = number;
        _occupied[slot >> 6] |= 1ul << (slot & 63);
    }

    private void Unlink(int number)
    {
        ref Link link = ref _links[number];
        int next = link.Next - 1;
        if (next != None)
        {
            _links[next].Previous = link.Previous;
        }

        if (link.Previous > 0)
        {
            _links[link.Previous - 1].Next = link.Next;
        }
        else
        {
            int slot = -link.Previous - 1;
            _heads[slot] = next;
            if (next == None)
            {
                _occupied[slot >> 6] &= ~(1ul << (slot & 63));
            }
        }
    }
}
