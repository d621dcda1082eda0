using System.Diagnostics;
using FastPathLb.Balancer;
using FastPathLb.Engine.Building;
using FastPathLb.Engine.Placing;
using FastPathLb.Engine.Replaying;
using FastPathLb.Io.Captures;
using FastPathLb.TestKit;

namespace FastPathLb.Engine.Tests.Placing;

/// <summary>Where a replay's threads are while it runs.</summary>
public sealed class PlacedReplayTests
{
    private const string Recording = "rr-two-services";

    [LinuxFact]
    public void A_single_worker_works_on_its_processor()
    {
        ProcessorList last = Last();
        List<string> seen = [];
        using BuiltLoadBalancer built = LoadBalancerBuilder.Build(Recordings.ReadNode(Recording), new LoadBalancerOptions());
        Run(new Replay(built) { Processors = last, AfterBatch = _ => seen.Add(ProcessorList.Allowed().ToString()) });

        Assert.NotEmpty(seen);
        Assert.All(seen, processors => Assert.Equal(last.ToString(), processors));
    }

    [LinuxFact]
    public void Each_of_several_workers_has_its_processor()
    {
        // One processor for both where there is no second one: the list itself is not checked here.
        ProcessorList allowed = ProcessorList.Allowed();
        int second = allowed[allowed.Count - 1];
        Assert.True(ProcessorList.TryParse(second == allowed[0] ? $"{second}" : $"{second},{allowed[0]}", out ProcessorList? list));
        using BuiltWorkers workers = LoadBalancerBuilder.BuildWorkers(Recordings.ReadNode(Recording), new LoadBalancerOptions(), list.Count);
        using BuiltLoadBalancer first = workers.First;
        bool isPlaced = false;
        Run(new Replay(first) { Processors = list, Workers = workers, AfterBatch = _ => isPlaced = AreThreadsPlaced(list) });

        Assert.True(isPlaced, "there are no threads 'worker N' on the processors that they were given");
    }

    private static ProcessorList Last()
    {
        ProcessorList allowed = ProcessorList.Allowed();
        return ProcessorList.Of(allowed[allowed.Count - 1]);
    }

    private static void Run(Replay replay)
    {
        using CaptureReader reader = CaptureReader.Open(Recordings.CaptureOf(Recording, AttachPoint.Underlay));
        MemorySink sink = new();
        replay.Run(reader, sink);
        Assert.NotEmpty(sink.Frames);
    }

    /// <summary>Threads find their place as they start, so that is waited for; other tests' workers have the same names and are not bound.</summary>
    private static bool AreThreadsPlaced(ProcessorList list)
    {
        Stopwatch waited = Stopwatch.StartNew();
        while (waited.Elapsed < TimeSpan.FromSeconds(10))
        {
            string[] threads = [.. Directory.GetDirectories("/proc/self/task").Select(ReadThread)];
            if (Enumerable.Range(0, list.Count).All(worker => threads.Contains($"worker {worker} on {list[worker]}")))
            {
                return true;
            }

            Thread.Yield();
        }

        return false;
    }

    private static string ReadThread(string folder)
    {
        try
        {
            string allowed = File.ReadLines(Path.Combine(folder, "status")).First(line => line.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal));
            return $"{File.ReadAllText(Path.Combine(folder, "comm")).Trim()} on {allowed.Split('\t')[1]}";
        }
        catch (IOException)
        {
            // It has ended meanwhile.
            return "";
        }
    }
}
