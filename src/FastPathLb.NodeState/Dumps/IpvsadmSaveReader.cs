namespace FastPathLb.NodeState;

/// <summary>Reads <c>ipvsadm-save -n</c>, and whatever script of ipvsadm commands builds a table.</summary>
public static class IpvsadmSaveReader
{
    /// <summary>Reads the whole text; servers stand in the order in which the lines add them.</summary>
    /// <exception cref="NodeStateException">A line cannot be what it should be.</exception>
    public static IReadOnlyList<IpvsServiceState> Parse(string text, string fileName)
    {
        IpvsTableDraft table = new();
        foreach (DumpLine line in DumpLines.Filled(text, fileName))
        {
            table.Add(line);
        }

        return table.Build();
    }
}

/// <summary>IPVS services while the lines that add them are read.</summary>
internal sealed class IpvsTableDraft
{
    private readonly List<IpvsServiceState> _services = [];

    // By KeyOf. A dictionary over a value type of ours would be compiled as the program starts.
    private readonly Dictionary<string, List<IpvsServerState>> _servers = new(StringComparer.Ordinal);

    /// <summary>Timeouts, if a line set them.</summary>
    public IpvsTimeouts? Timeouts { get; private set; }

    /// <summary>Adds what one line says.</summary>
    public void Add(DumpLine line)
    {
        WordCursor words = line.ShellWords();
        words.TryTake("ipvsadm");
        if (words.AtEnd)
        {
            return;
        }

        switch (IpvsadmReader.Read(words))
        {
            case IpvsAddService add:
                Add(add.Service, line.Place);
                break;
            case IpvsAddServer add:
                Add(add.Service, add.Server, line.Place);
                break;
            case IpvsSetTimeouts set:
                Timeouts = set.Timeouts;
                break;
            case IpvsFlush or null:
                break;
            default:
                throw line.Place.Expected("a service (-A) or a server (-a)", line.Text.Trim());
        }
    }

    /// <summary>Adds a service.</summary>
    public void Add(IpvsServiceState service, TextPlace place)
    {
        List<IpvsServerState> servers = [];
        servers.AddRange(service.Servers);
        if (!_servers.TryAdd(KeyOf(service.Key), servers))
        {
            throw place.Problem($"service {IpvsText.NameOf(service)} is added twice");
        }

        _services.Add(service);
    }

    /// <summary>Adds a server.</summary>
    public void Add(IpvsKey service, IpvsServerState server, TextPlace place)
    {
        if (!_servers.TryGetValue(KeyOf(service), out List<IpvsServerState>? servers))
        {
            throw place.Problem($"server {server.Address}:{server.Port} is added to a service that no line above adds");
        }

        foreach (IpvsServerState other in servers)
        {
            if (other.Address == server.Address && other.Port == server.Port)
            {
                throw place.Problem($"server {server.Address}:{server.Port} is added twice");
            }
        }

        servers.Add(server);
    }

    /// <summary>The services with their servers.</summary>
    public IReadOnlyList<IpvsServiceState> Build()
    {
        List<IpvsServiceState> built = new(_services.Count);
        foreach (IpvsServiceState service in _services)
        {
            built.Add(service with { Servers = _servers[KeyOf(service.Key)] });
        }

        return built;
    }

    private static string KeyOf(IpvsKey key) => $"{key.Fwmark} {(uint)key.Protocol} {key.Address.Value} {key.Port}";
}
