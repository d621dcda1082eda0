using BenchmarkDotNet.Attributes;
using FastPathLb.Conntrack;

namespace FastPathLb.Benchmarks.Conntrack;

/// <summary>Which connection a packet belongs to: keys in random order, both directions, each fetched as the data path fetches it.</summary>
[MemoryDiagnoser]
public class LookupBenchmarks
{
    private const int BatchCount = 256;

    private readonly FlowKey[] _keys = new FlowKey[BatchCount];
    private readonly ulong[] _hashes = new ulong[BatchCount];
    private readonly uint[] _lines = new uint[BatchCount];
    private readonly int[] _numbers = new int[BatchCount];
    private ulong _touched;
    private ConnectionTable _table = null!;
    private Dictionary<FlowKey, int> _dictionary = null!;
    private uint _next;

    /// <summary>Connections, each with two keys.</summary>
    [Params(1024, 65536, 1048576, 16777216)]
    public int Connections { get; set; }

    [GlobalSetup]
    public void FillTable()
    {
        _table = new ConnectionTable(Math.Max(Connections + (Connections / 4), 16384));
        _dictionary = new Dictionary<FlowKey, int>(Connections * 2, new FlowKeys.Comparer());
        for (uint flow = 0; flow < Connections; flow++)
        {
            int number = _table.Allocate();
            _table[number].Original = FlowKeys.Original(flow);
            _table[number].Reply = FlowKeys.Reply(flow);
            if (_table.IndexOriginal(number) != IndexInsert.Done || _table.IndexReply(number) != IndexInsert.Done)
            {
                throw new InvalidOperationException($"flow {flow} is there already");
            }

            _dictionary.Add(FlowKeys.Original(flow), number);
            _dictionary.Add(FlowKeys.Reply(flow), number);
        }

        if (Hit() != BatchCount || HitPrefetched() != BatchCount || HitTouched() != BatchCount || DictionaryHit() != BatchCount || Miss() != 0)
        {
            throw new InvalidOperationException("not every flow is found");
        }
    }

    [GlobalCleanup]
    public void Clean()
    {
        _table?.Dispose();
        _dictionary = null!;
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = BatchCount)]
    public int DictionaryHit()
    {
        DrawKeys(isKnown: true);
        int found = 0;
        for (int index = 0; index < BatchCount; index++)
        {
            found += _dictionary.TryGetValue(_keys[index], out int number) && number >= 0 ? 1 : 0;
        }

        return found;
    }

    [Benchmark(OperationsPerInvoke = BatchCount)]
    public int DictionaryMiss()
    {
        DrawKeys(isKnown: false);
        int found = 0;
        for (int index = 0; index < BatchCount; index++)
        {
            found += _dictionary.TryGetValue(_keys[index], out _) ? 1 : 0;
        }

        return found;
    }

    /// <summary>One after the other: each waits for its memory.</summary>
    [Benchmark(OperationsPerInvoke = BatchCount)]
    public int Hit()
    {
        DrawKeys(isKnown: true);
        return Find();
    }

    [Benchmark(OperationsPerInvoke = BatchCount)]
    public int Miss()
    {
        DrawKeys(isKnown: false);
        return Find();
    }

    /// <summary>A batch at a time: all hashes, then all index lines, then all records are asked for before any is looked at.</summary>
    [Benchmark(OperationsPerInvoke = BatchCount)]
    public int HitPrefetched()
    {
        DrawKeys(isKnown: true);
        LookAhead ahead = _table.LookAhead;
        for (int index = 0; index < BatchCount; index++)
        {
            _hashes[index] = _table.Hash(_keys[index]);
            _lines[index] = ahead.PrefetchIndex(_hashes[index]);
        }

        for (int index = 0; index < BatchCount; index++)
        {
            ahead.PrefetchConnection(_lines[index], _hashes[index]);
        }

        int found = 0;
        for (int index = 0; index < BatchCount; index++)
        {
            found += _table.TryFind(_keys[index], _hashes[index], out _, out _) ? 1 : 0;
        }

        return found;
    }

    /// <summary>The same, where each line is touched some keys after it was asked for: where prefetches are dropped, loads are not.</summary>
    [Benchmark(OperationsPerInvoke = BatchCount)]
    public int HitTouched()
    {
        const int KeysBehind = 16;
        DrawKeys(isKnown: true);
        LookAhead ahead = _table.LookAhead;
        ulong touched = 0;
        for (int index = 0; index < BatchCount; index++)
        {
            _hashes[index] = _table.Hash(_keys[index]);
            _lines[index] = ahead.PrefetchIndex(_hashes[index]);
            touched += index < KeysBehind ? 0 : ahead.TouchIndex(_lines[index - KeysBehind]);
        }

        for (int index = 0; index < BatchCount; index++)
        {
            _numbers[index] = ahead.PrefetchConnection(_lines[index], _hashes[index]).Number;
            touched += index < KeysBehind ? 0 : ahead.Touch(Math.Max(0, _numbers[index - KeysBehind]));
        }

        _touched = touched;
        int found = 0;
        for (int index = 0; index < BatchCount; index++)
        {
            found += _table.TryFind(_keys[index], _hashes[index], out _, out _) ? 1 : 0;
        }

        return found;
    }

    /// <summary>What drawing the keys costs, which every other case has in it.</summary>
    [Benchmark(OperationsPerInvoke = BatchCount)]
    public uint KeysAlone()
    {
        DrawKeys(isKnown: true);
        return _next;
    }

    private int Find()
    {
        int found = 0;
        for (int index = 0; index < BatchCount; index++)
        {
            found += _table.TryFind(_keys[index], out _, out _) ? 1 : 0;
        }

        return found;
    }

    private void DrawKeys(bool isKnown)
    {
        for (int index = 0; index < BatchCount; index++)
        {
            _next = (_next * 1664525u) + 1013904223u;
            uint flow = _next & (uint)(Connections - 1);
            _keys[index] = !isKnown ? FlowKeys.Original(flow, network: 2)
                : _next >> 31 == 0 ? FlowKeys.Original(flow)
                : FlowKeys.Reply(flow);
        }
    }
}
