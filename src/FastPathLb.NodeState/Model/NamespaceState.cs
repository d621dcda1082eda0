using System.Globalization;

namespace FastPathLb.NodeState;

/// <summary>One network namespace: its devices, neighbours, routes, rules, IPVS services and settings.</summary>
public sealed record NamespaceState
{
    private static readonly Dictionary<string, string> s_noSysctls = [];

    /// <summary>Prefix of its dump files, for example <c>lb</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Devices in the order of <c>ip addr</c>.</summary>
    public IReadOnlyList<InterfaceState> Interfaces { get; init; } = [];

    /// <summary>IPv4 neighbours.</summary>
    public IReadOnlyList<NeighborState> Neighbors { get; init; } = [];

    /// <summary>IPv4 routes of the main table.</summary>
    public IReadOnlyList<RouteState> Routes { get; init; } = [];

    /// <summary>Bridge and VXLAN forwarding entries.</summary>
    public IReadOnlyList<FdbEntryState> Fdb { get; init; } = [];

    /// <summary>iptables tables.</summary>
    public IptablesState Iptables { get; init; } = IptablesState.Empty;

    /// <summary>IPVS services with their servers, in the order listed.</summary>
    public IReadOnlyList<IpvsServiceState> IpvsServices { get; init; } = [];

    /// <summary>Whether the servers stand in the order in which they were added (it decides round robin's turn).</summary>
    public bool IpvsOrderKnown { get; init; }

    /// <summary>IPVS timeouts changed by <c>ipvsadm --set</c>; null: the kernel's own.</summary>
    public IpvsTimeouts? IpvsTimeouts { get; init; }

    /// <summary>Kernel settings by dotted name, those that the dump lists.</summary>
    public IReadOnlyDictionary<string, string> Sysctls { get; init; } = s_noSysctls;

    /// <summary>A setting as a number; <paramref name="defaultValue"/> where the dump doesn't list it or it is no number.</summary>
    /// <remarks>Of a setting with several values (<c>sync_threshold = 3 50</c>) the first counts.</remarks>
    public int GetSysctl(string name, int defaultValue)
    {
        if (!Sysctls.TryGetValue(name, out string? text))
        {
            return defaultValue;
        }

        ReadOnlySpan<char> first = text;
        int end = first.IndexOfAny(' ', '\t');
        return int.TryParse(end < 0 ? first : first[..end], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value)
            ? value
            : defaultValue;
    }

    /// <summary>A setting as a number; where the dump doesn't list it, what <see cref="SysctlDefaults"/> says of a Swarm node.</summary>
    public int GetSysctl(string name) => GetSysctl(name, SysctlDefaults.Get(name));

    /// <summary>The device of that name, or null.</summary>
    public InterfaceState? FindInterface(string name)
    {
        foreach (InterfaceState device in Interfaces)
        {
            if (device.Name == name)
            {
                return device;
            }
        }

        return null;
    }
}
