using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace FastPathLb.Live.Tests.Lab;

/// <summary>Network namespaces of a test's own, which go with it; what is in them goes with them.</summary>
internal sealed partial class NetworkLab : IDisposable
{
    private const int NetworkNamespace = 0x40000000;
    private static int s_count;

    private readonly string _prefix = $"fl{Environment.ProcessId % 100_000}x{Interlocked.Increment(ref s_count)}";
    private readonly List<string> _namespaces = [];

    /// <summary>The system's name of a namespace.</summary>
    public string this[string name] => $"{_prefix}-{name}";

    /// <summary>Makes a namespace that speaks IPv4 alone, so that nothing but the test's traffic passes.</summary>
    public void AddNamespace(string name)
    {
        Shell.Run("ip", "netns", "add", this[name]);
        _namespaces.Add(this[name]);
        Write(name, "/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
        Write(name, "/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
        Ip(name, "link set lo up");
    }

    /// <summary>Writes a file as the namespace sees it.</summary>
    public void Write(string name, string path, string text) => Within(name, () =>
    {
        if (File.Exists(path))
        {
            File.WriteAllText(path, text);
        }

        return 0;
    });

    /// <summary>Runs <c>ip</c> in a namespace.</summary>
    public string Ip(string name, string arguments) => Shell.Run(["ip", "-n", this[name], .. arguments.Split(' ')]);

    /// <summary>Gives the programs of a namespace a nameserver of their own.</summary>
    public void SetNameserver(string name, string address)
    {
        Directory.CreateDirectory(ResolverFolder(this[name]));
        File.WriteAllText(Path.Combine(ResolverFolder(this[name]), "resolv.conf"), $"nameserver {address}\noptions timeout:2 attempts:2\n");
    }

    /// <summary>A command line of a program in a namespace.</summary>
    public string[] In(string name, params string[] words) => ["ip", "netns", "exec", this[name], .. words];

    /// <summary>
    /// Does something on a thread that is in a namespace. Sockets made there stay there, wherever they are used afterwards.
    /// </summary>
    public T Within<T>(string name, Func<T> work)
    {
        T result = default!;
        ExceptionDispatchInfo? problem = null;
        string path = $"/var/run/netns/{this[name]}";
        Thread thread = new(() =>
        {
            try
            {
                using SafeFileHandle handle = File.OpenHandle(path);
                if (EnterNamespace(handle, NetworkNamespace) != 0)
                {
                    throw new InvalidOperationException($"setns {path}: {Marshal.GetLastPInvokeErrorMessage()}");
                }

                result = work();
            }
            catch (Exception caught)
            {
                problem = ExceptionDispatchInfo.Capture(caught);
            }
        });
        thread.Start();
        thread.Join();
        problem?.Throw();
        return result;
    }

    public void Dispose()
    {
        foreach (string name in _namespaces)
        {
            Shell.TryRun("ip", "netns", "del", name);
            if (Directory.Exists(ResolverFolder(name)))
            {
                Directory.Delete(ResolverFolder(name), recursive: true);
            }
        }
    }

    // "ip netns exec" has its files stand in for those of /etc.
    private static string ResolverFolder(string name) => $"/etc/netns/{name}";

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int EnterNamespace(SafeFileHandle descriptor, int kind);
}
