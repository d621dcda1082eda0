using System.ComponentModel;
using System.Diagnostics;
using FastPathLb.Wire;

namespace FastPathLb.SharpPcap.Tests;

/// <summary>A veth pair from here into a network namespace of its own, where Linux itself answers. Both go when it is disposed.</summary>
internal sealed class NamespaceLink : IDisposable
{
    /// <summary>What <c>ip link add type veth</c> gives.</summary>
    public const int MtuBytes = 1500;

    private static int s_count;

    private readonly string _namespace;
    private bool _isRemoved;

    public NamespaceLink()
    {
        string suffix = $"{Environment.ProcessId % 100_000}x{Interlocked.Increment(ref s_count)}";
        _namespace = $"fplb{suffix}";
        Near = $"fp{suffix}a";
        string far = $"fp{suffix}b";
        Run($"netns add {_namespace}");
        try
        {
            Run($"link add {Near} type veth peer name {far} netns {_namespace}");
            Run($"link set {Near} addrgenmode none");
            Run($"-n {_namespace} link set {far} address {FarMac} addrgenmode none");
            Run($"-n {_namespace} addr add {FarAddress}/24 dev {far}");
            Run($"-n {_namespace} neigh add {NearAddress} lladdr {NearMac} dev {far}");
            Run($"link set {Near} up");
            Run($"-n {_namespace} link set {far} up");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The interface on this side. It has no address: only the tests speak on it.</summary>
    public string Near { get; }

    public static MacAddress NearMac { get; } = MacAddress.Parse("02:00:00:00:00:0a");

    public static MacAddress FarMac { get; } = MacAddress.Parse("02:00:00:00:00:0b");

    public static Ipv4Address NearAddress { get; } = Ipv4Address.Parse("192.0.2.1");

    public static Ipv4Address FarAddress { get; } = Ipv4Address.Parse("192.0.2.2");

    public void RemoveInterface() => Run($"link del {Near}");

    public void Dispose()
    {
        if (!_isRemoved)
        {
            _isRemoved = true;

            // The pair goes with the namespace that one end is in.
            Run($"netns del {_namespace}");
        }
    }

    private static void Run(string arguments)
    {
        var start = new ProcessStartInfo("ip", arguments) { RedirectStandardError = true };
        try
        {
            using Process process = Process.Start(start)!;
            string problem = process.StandardError.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode != 0)
            {
                throw new InvalidOperationException($"ip {arguments}: {problem.Trim()}");
            }
        }
        catch (Win32Exception problem)
        {
            throw new InvalidOperationException($"ip (iproute2) is not installed: {problem.Message}", problem);
        }
    }
}
