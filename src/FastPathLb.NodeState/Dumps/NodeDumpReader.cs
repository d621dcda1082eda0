namespace FastPathLb.NodeState;

/// <summary>Reads a folder of dumps: <c>lb.ip-addr.txt</c>, <c>overlay.bridge-fdb.txt</c>, <c>network-inspect.mynet.json</c> …</summary>
/// <remarks>
/// What is missing is inferred where Docker's rules or the other dumps tell it, and <see cref="NodeState.Inferred"/> says so.
/// </remarks>
public static class NodeDumpReader
{
    private static readonly (string Suffix, Action<NamespaceDraft, string, string> Read)[] s_dumps =
    [
        (".ip-addr.txt", (space, text, file) => space.Interfaces = IpAddrReader.Parse(text, file)),
        (".ip-neigh.txt", (space, text, file) => space.Neighbors = IpNeighReader.Parse(text, file)),
        (".ip-route.txt", (space, text, file) => space.Routes = IpRouteReader.Parse(text, file)),
        (".bridge-fdb.txt", (space, text, file) => space.Fdb = BridgeFdbReader.Parse(text, file)),
        (".iptables-save.txt", (space, text, file) => space.Iptables = IptablesSaveReader.Parse(text, file)),
        (".ipvsadm-Ln.txt", ReadServiceList),
        (".ipvsadm-save.txt", ReadServices),
        (".ipvsadm-nosort.txt", (space, text, file) => OrderServices(space, Reversed(IpvsadmListReader.Parse(text, file)))),
        (".proc-ip_vs.txt", (space, text, file) => OrderServices(space, IpvsProcReader.Parse(text, file))),
        (".ipvsadm-timeout.txt", ReadTimeouts),
        (".sysctl.txt", (space, text, file) => space.Sysctls = SysctlReader.Parse(text, file)),
    ];

    /// <summary>
    /// Reads the dumps whose names begin with <paramref name="prefix"/> (<c>node2.</c> for a second node's; empty for
    /// the first's).
    /// </summary>
    /// <exception cref="NodeStateException">A file cannot be what it should be, or what is missing cannot be inferred.</exception>
    public static NodeState Read(string directory, string prefix = "")
    {
        if (!Directory.Exists(directory))
        {
            throw new NodeStateException($"{directory}: there is no such folder");
        }

        string[] files = ListFiles(directory);
        NodeDraft node = new(directory, prefix, DockerFiles.Read(directory, files, prefix));
        foreach ((string suffix, Action<NamespaceDraft, string, string> read) in s_dumps)
        {
            foreach (string file in files)
            {
                if (TryGetNamespace(file, prefix, suffix, out string name))
                {
                    string path = Path.Combine(directory, file);
                    read(node.GetOrAdd(name), TextFile.Read(path), path);
                }
            }
        }

        NoteUnknownOrder(node);
        NodeInference.Complete(node);
        return node.Build();
    }

    private static string[] ListFiles(string directory)
    {
        try
        {
            string[] files = Directory.GetFiles(directory);
            for (int index = 0; index < files.Length; index++)
            {
                files[index] = Path.GetFileName(files[index]);
            }

            Array.Sort(files, StringComparer.Ordinal);
            return files;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new NodeStateException($"{directory}: {exception.Message}", exception);
        }
    }

    // A namespace's name has no dot, so "node2.lb.ip-addr.txt" is not read without the prefix.
    private static bool TryGetNamespace(string file, string prefix, string suffix, out string name)
    {
        name = "";
        if (!file.StartsWith(prefix, StringComparison.Ordinal)
            || !file.EndsWith(suffix, StringComparison.Ordinal)
            || file.Length <= prefix.Length + suffix.Length)
        {
            return false;
        }

        name = file[prefix.Length..^suffix.Length];
        return !name.Contains('.', StringComparison.Ordinal);
    }

    private static void ReadServiceList(NamespaceDraft space, string text, string file)
    {
        space.Services = IpvsadmListReader.Parse(text, file);
        space.IsOrderKnown = space.Services.All(service => service.Servers.Count < 2);
    }

    private static void ReadTimeouts(NamespaceDraft space, string text, string file)
    {
        IpvsTimeouts timeouts = IpvsadmTimeoutReader.Parse(text, file);
        space.Timeouts = timeouts == IpvsTimeouts.Default ? null : timeouts;
    }

    private static void ReadServices(NamespaceDraft space, string text, string file)
    {
        space.Services = IpvsadmSaveReader.Parse(text, file);
        space.IsOrderKnown = true;
    }

    // "ipvsadm -Ln --nosort" lists as the kernel does: the last server added first.
    private static IReadOnlyList<IpvsServiceState> Reversed(IReadOnlyList<IpvsServiceState> services) =>
        [.. services.Select(service => service with { Servers = [.. service.Servers.Reverse()] })];

    // Puts the servers in their order of creation; without another dump of the services this is one.
    private static void OrderServices(NamespaceDraft space, IReadOnlyList<IpvsServiceState> order)
    {
        if (space.Services is null)
        {
            space.Services = order;
            space.IsOrderKnown = true;
            return;
        }

        List<IpvsServiceState> services = [];
        bool isOrderKnown = true;
        foreach (IpvsServiceState service in space.Services)
        {
            IpvsServiceState? listed = order.FirstOrDefault(other => other.Key == service.Key);
            IpvsServerState[] servers =
            [
                .. (listed?.Servers ?? [])
                    .Select(server => service.Servers.FirstOrDefault(other => other.Address == server.Address && other.Port == server.Port))
                    .OfType<IpvsServerState>(),
            ];
            bool isComplete = servers.Length == service.Servers.Count;
            isOrderKnown &= isComplete;
            services.Add(isComplete ? service with { Servers = servers } : service);
        }

        space.Services = services;
        space.IsOrderKnown = isOrderKnown;
    }

    private static void NoteUnknownOrder(NodeDraft node)
    {
        foreach (NamespaceDraft space in node.Namespaces)
        {
            if (space.Services is not null && !space.IsOrderKnown)
            {
                string file = node.FileOf(space, "ipvsadm-Ln");
                node.Inferred.Add($"{file} is sorted: the servers are taken to have been added in the order listed.");
            }
        }
    }
}
