using BenchmarkDotNet.Attributes;
using FastPathLb.Conntrack;

namespace FastPathLb.Benchmarks.Conntrack;

/// <summary>
/// A connection comes and goes in a table that holds others: record, both keys and timer in, all of it out. The table's own
/// population does not change.
/// </summary>
[MemoryDiagnoser]
public class InsertBenchmarks
{
    private const int BatchCount = 256;

    private readonly int[] _numbers = new int[BatchCount];
    private ConnectionTable _table = null!;
    private Dictionary<FlowKey, int> _dictionary = null!;
    private uint _next;

    /// <summary>Connections that stay.</summary>
    [Params(1024, 65536, 1048576 - 65536)]
    public int Connections { get; set; }

    [GlobalSetup]
    public void FillTable()
    {
        _table = new ConnectionTable(Math.Max(Connections + (Connections / 4), 16384));
        _dictionary = new Dictionary<FlowKey, int>((Connections + BatchCount) * 2, new FlowKeys.Comparer());
        for (uint flow = 0; flow < Connections; flow++)
        {
            Add(flow);
            _dictionary.Add(FlowKeys.Original(flow), (int)flow);
            _dictionary.Add(FlowKeys.Reply(flow), (int)flow);
        }
    }

    [GlobalCleanup]
    public void Clean()
    {
        _table?.Dispose();
        _dictionary = null!;
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = BatchCount)]
    public int DictionaryInsertAndRemove()
    {
        uint first = FirstFree();
        for (uint flow = first; flow < first + BatchCount; flow++)
        {
            _dictionary.Add(FlowKeys.Original(flow), (int)flow);
            _dictionary.Add(FlowKeys.Reply(flow), (int)flow);
        }

        for (uint flow = first; flow < first + BatchCount; flow++)
        {
            _dictionary.Remove(FlowKeys.Original(flow));
            _dictionary.Remove(FlowKeys.Reply(flow));
        }

        return _dictionary.Count;
    }

    [Benchmark(OperationsPerInvoke = BatchCount)]
    public int InsertAndRemove()
    {
        uint first = FirstFree();
        for (uint index = 0; index < BatchCount; index++)
        {
            _numbers[index] = Add(first + index);
        }

        foreach (int number in _numbers)
        {
            _table.Untime(number);
            _table.UnindexOriginal(number);
            _table.UnindexReply(number);
            _table.Release(number);
        }

        return _table.Count;
    }

    // The 65,536 flows after those that stay, round and round.
    private uint FirstFree()
    {
        _next += BatchCount;
        return (uint)Connections + (_next & 0xFF00);
    }

    private int Add(uint flow)
    {
        int number = _table.Allocate();
        ref Connection connection = ref _table[number];
        connection.Original = FlowKeys.Original(flow);
        connection.Reply = FlowKeys.Reply(flow);
        if (_table.IndexOriginal(number) != IndexInsert.Done || _table.IndexReply(number) != IndexInsert.Done)
        {
            throw new InvalidOperationException($"flow {flow} is there already");
        }

        _table.Time(number, Workload.PeerFlows.StartNanoseconds + 60_000_000_000);
        return number;
    }
}
