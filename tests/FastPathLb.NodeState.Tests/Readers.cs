namespace FastPathLb.NodeState.Tests;

/// <summary>All readers of text, by a short name.</summary>
internal static class Readers
{
    public static IReadOnlyDictionary<string, Action<string, string>> ByName { get; } = new Dictionary<string, Action<string, string>>
    {
        ["addr"] = (text, file) => IpAddrReader.Parse(text, file),
        ["neigh"] = (text, file) => IpNeighReader.Parse(text, file),
        ["route"] = (text, file) => IpRouteReader.Parse(text, file),
        ["fdb"] = (text, file) => BridgeFdbReader.Parse(text, file),
        ["iptables"] = (text, file) => IptablesSaveReader.Parse(text, file),
        ["save"] = (text, file) => IpvsadmSaveReader.Parse(text, file),
        ["list"] = (text, file) => IpvsadmListReader.Parse(text, file),
        ["proc"] = (text, file) => IpvsProcReader.Parse(text, file),
        ["timeouts"] = (text, file) => IpvsadmTimeoutReader.Parse(text, file),
        ["sysctl"] = (text, file) => SysctlReader.Parse(text, file),
        ["network"] = (text, file) => DockerNetworkReader.Parse(text, file),
        ["service"] = (text, file) => DockerServiceReader.Parse(text, file),
        ["container"] = (text, file) => DockerContainerReader.Parse(text, file),
        ["nodes"] = (text, file) => DockerNodeReader.Parse(text, file),
        ["events"] = (text, file) => EventFileReader.Parse(text, file),
        ["checkpoints"] = (text, file) => CheckpointFileReader.Parse(text, file),
        ["yaml"] = (text, file) => LbConfigReader.Parse(text, file),
    };
}
