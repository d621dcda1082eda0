using System.Runtime.CompilerServices;

namespace FastPathLb.Conntrack;

/// <summary>
/// A <see cref="ConnectionTable"/> for loops that ask for memory some keys before they need it: two addresses, a number of lines and the
/// seed, which stay in registers. Not to be used longer than the table.
/// </summary>
public readonly struct LookAhead
{
    private readonly SlabElements<Connection> _connections;
    private readonly ConnectionIndex.Homes _homes;
    private readonly ulong _seed;

    /// <summary>Takes them.</summary>
    internal LookAhead(SlabElements<Connection> connections, ConnectionIndex.Homes homes, ulong seed) =>
        (_connections, _homes, _seed) = (connections, homes, seed);

    /// <summary>A connection's record.</summary>
    public ref Connection this[int number]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref _connections[number];
    }

    /// <summary>The hash of a key's two words: <see cref="ConnectionTable.Hash(ulong, ulong)"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Hash(ulong addresses, ulong rest) => FlowKey.Hash(addresses, rest, _seed);

    /// <summary>Asks for the index line of a hash.</summary>
    /// <returns>The line's number.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint PrefetchIndex(ulong hash) => _homes.Prefetch(hash);

    /// <summary>The index line of a hash.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint LineOf(ulong hash) => _homes.LineOf(hash);

    /// <summary>Where a key with this hash may be put, if it is surely not in the index. If there is none, it may still not be.</summary>
    /// <param name="line">The hash's line.</param>
    /// <param name="hash">The hash.</param>
    /// <param name="candidate">Where its line leads first, if anywhere; whether that connection's key is the one is not known yet.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public IndexVacancy Vacancy(uint line, ulong hash, out IndexEntry candidate) => _homes.Vacancy(line, hash, out candidate);

    /// <summary>Reads a word of an index line.</summary>
    /// <returns>See <see cref="SlabElements{T}.Touch"/>.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong TouchIndex(uint line) => _homes.Touch(line);

    /// <summary>Asks for the record that the index line of a hash names, if any.</summary>
    /// <param name="line">What <see cref="PrefetchIndex"/> returned for the hash.</param>
    /// <param name="hash">The hash.</param>
    /// <param name="isKeyEnough">Whether only the record's first line is wanted, where the keys are.</param>
    /// <returns>Where it leads; whether that connection's key is the one that was hashed is not known yet.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public IndexEntry PrefetchConnection(uint line, ulong hash, bool isKeyEnough = false)
    {
        IndexEntry candidate = _homes.Candidate(line, hash);
        if (!candidate.IsNone && isKeyEnough)
        {
            _connections.PrefetchBeginning(candidate.Number);
        }
        else if (!candidate.IsNone)
        {
            _connections.Prefetch(candidate.Number);
        }

        return candidate;
    }

    /// <summary>Asks for a record.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void PrefetchRecord(int number) => _connections.Prefetch(number);

    /// <summary>Reads a word of a record's first line.</summary>
    /// <returns>See <see cref="SlabElements{T}.Touch"/>.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong TouchHolder(int number) => _connections.TouchBeginning(number);

    /// <summary>Reads a word of each of a record's lines.</summary>
    /// <returns>See <see cref="SlabElements{T}.Touch"/>.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Touch(int number) => _connections.Touch(number);
}
