namespace FastPathLb.Balancer.Ipvs.Scheduling;

/// <summary>The schedulers by the names <c>ipvsadm -s</c> knows them by.</summary>
public static class SchedulerCatalog
{
    private static readonly string[] s_names = ["rr", "wrr", "lc", "wlc", "sh", "dh", "mh", "sed", "nq", "fo", "ovf"];

    /// <summary>All names.</summary>
    public static IReadOnlyList<string> Names => s_names;

    /// <summary>Whether a name is known.</summary>
    public static bool Contains(string name) => Array.IndexOf(s_names, name) >= 0;

    /// <summary>Makes a scheduler.</summary>
    /// <exception cref="ArgumentException">The name is not known.</exception>
    internal static Scheduler Create(string name, VirtualService service, IReadOnlyList<string> flags) => name switch
    {
        "rr" => new RoundRobinScheduler(service),
        "wrr" => new WeightedRoundRobinScheduler(service),
        "lc" => new LeastConnectionScheduler(service),
        "wlc" => new WeightedLeastConnectionScheduler(service, expectsDelay: false),
        "sed" => new WeightedLeastConnectionScheduler(service, expectsDelay: true),
        "nq" => new NeverQueueScheduler(service),
        "fo" => new FailoverScheduler(service, overflows: false),
        "ovf" => new FailoverScheduler(service, overflows: true),
        "dh" => new DestinationHashScheduler(service),
        "sh" => new SourceHashScheduler(service, Has(flags, "sh-port", "flag-2"), Has(flags, "sh-fallback", "flag-1")),
        "mh" => new MaglevScheduler(service, Has(flags, "mh-port", "flag-2"), Has(flags, "mh-fallback", "flag-1")),
        _ => throw new ArgumentException($"scheduler {name} is not known (known: {string.Join(' ', s_names)})", nameof(name)),
    };

    private static bool Has(IReadOnlyList<string> flags, string name, string number)
    {
        for (int index = 0; index < flags.Count; index++)
        {
            if (flags[index] == name || flags[index] == number)
            {
                return true;
            }
        }

        return false;
    }
}
