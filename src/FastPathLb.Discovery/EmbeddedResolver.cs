using FastPathLb.NodeState;
using FastPathLb.Wire;

namespace FastPathLb.Discovery;

/// <summary>Docker's embedded DNS server, 127.0.0.11 of every container, as one container asks it. Owned by one thread.</summary>
/// <remarks>
/// A container sees the names of the networks it is on. Names that none of them has go to the node's own resolver, which is not asked here:
/// they are refused.
/// </remarks>
public sealed class EmbeddedResolver
{
    private const string ReverseDomain = ".in-addr.arpa";

    private readonly NameTable[] _tables;
    private readonly Random _random;

    /// <summary>Makes a resolver of a node's state: of Docker's files, or of the services that a configuration names.</summary>
    /// <param name="state">The state.</param>
    /// <param name="container">Container or task that asks, by its name or the beginning of it; null: one on all networks.</param>
    /// <param name="seed">Seed of the order in which several addresses are given.</param>
    /// <exception cref="NodeStateException">No names are known, or no container of that name.</exception>
    public EmbeddedResolver(NodeState.NodeState state, string? container = null, int seed = 1)
        : this(ConfiguredNetwork.AddTo(state), container, seed)
    {
    }

    /// <summary>Makes a resolver.</summary>
    /// <param name="docker">Docker's files.</param>
    /// <param name="container">Container or task that asks, by its name or the beginning of it; null: one on all networks.</param>
    /// <param name="seed">Seed of the order in which several addresses are given.</param>
    /// <exception cref="NodeStateException">No network is known with its services, or no container of that name.</exception>
    public EmbeddedResolver(DockerState docker, string? container = null, int seed = 1)
    {
        _random = new Random(seed);
        string[]? attached = container is null ? null : NetworksOf(docker, container);

        // No container resolves names of the ingress network: tasks are on it for published ports alone.
        _tables =
        [
            .. docker.Networks.Where(
                network => network is { IsOverlay: true, IsIngress: false } && attached?.Contains(network.Name) != false)
                .Select(network => new NameTable(network, docker)),
        ];
        if (_tables.Length == 0)
        {
            throw new NodeStateException(
                "there is no overlay network to resolve names in: expected network-inspect-v.NET.json (docker network inspect -v NET), "
                + "or in YAML a service with a name and a VIP");
        }
    }

    /// <summary>The networks whose names are known.</summary>
    public IEnumerable<string> Networks => _tables.Select(table => table.Network.Name);

    /// <summary>Answers a message.</summary>
    /// <param name="message">The message.</param>
    /// <param name="answer">Where the answer is written; <see cref="DnsQuery.AnswerBytesMax"/> bytes are enough.</param>
    /// <returns>The answer's length; 0 where there is none to give.</returns>
    public int Answer(ReadOnlySpan<byte> message, Span<byte> answer)
    {
        if (DnsQuery.Read(message) is not { } query)
        {
            return 0;
        }

        return (query.Problem == DnsResponseCode.NoError
            ? Resolve(query.Name, query.Type)
            : new DnsAnswer(query.Problem, [], null, "")).WriteTo(query, answer);
    }

    /// <summary>Resolves a name.</summary>
    public DnsAnswer Resolve(string name, DnsRecordType type)
    {
        name = name.TrimEnd('.');
        return type switch
        {
            DnsRecordType.Ptr => ResolveAddress(name),
            DnsRecordType.A or DnsRecordType.Aaaa or DnsRecordType.Any => ResolveName(name, type),
            _ => DnsAnswer.Refused("only A, AAAA and PTR are answered by Docker itself; the rest goes to the node's own resolver"),
        };
    }

    /// <summary>The name under which an address is asked for.</summary>
    public static string ReverseName(Ipv4Address address)
    {
        Span<byte> bytes = stackalloc byte[Ipv4Address.LengthBytes];
        address.WriteTo(bytes);
        return $"{bytes[3]}.{bytes[2]}.{bytes[1]}.{bytes[0]}{ReverseDomain}";
    }

    private static string[] NetworksOf(DockerState docker, string container)
    {
        DockerContainer? found = docker.Containers.FirstOrDefault(item => item.Name == container)
            ?? docker.Containers.FirstOrDefault(item => IsBeginning(container, item.Name) || IsBeginning(container, item.Id));
        return found is not null
            ? [.. found.Endpoints.Select(endpoint => endpoint.NetworkName)]
            : throw new NodeStateException(docker.Containers.Count == 0
                ? $"container '{container}' is not known: expected container-inspect.json (docker inspect)"
                : $"there is no container '{container}'; there is {string.Join(", ", docker.Containers.Select(item => item.Name))}");
    }

    private static bool IsBeginning(string part, string whole) => part.Length > 0 && whole.StartsWith(part, StringComparison.Ordinal);

    private DnsAnswer ResolveName(string name, DnsRecordType type)
    {
        foreach (NameTable table in _tables)
        {
            // "web.mynet" is web in mynet.
            string suffix = $".{table.Network.Name}";
            string bare = name.EndsWith(suffix, StringComparison.OrdinalIgnoreCase) ? name[..^suffix.Length] : name;
            if ((table.Find(name) ?? table.Find(bare)) is not { } found)
            {
                continue;
            }

            string reason = $"{found.What}, network {table.Network.Name}";
            if (type == DnsRecordType.Aaaa)
            {
                return new DnsAnswer(DnsResponseCode.NoError, [], null, $"{reason}: it has no IPv6 address");
            }

            Ipv4Address[] addresses = [.. found.Addresses];
            _random.Shuffle(addresses);
            return new DnsAnswer(DnsResponseCode.NoError, addresses, null, reason);
        }

        return DnsAnswer.Refused(
            $"no service, task or container of {string.Join(", ", Networks)} has this name; Docker would ask the node's own resolver");
    }

    private DnsAnswer ResolveAddress(string name)
    {
        string[] parts = name.Split('.');
        if (name.EndsWith(ReverseDomain, StringComparison.OrdinalIgnoreCase)
            && parts.Length == 6
            && Ipv4Address.TryParse($"{parts[3]}.{parts[2]}.{parts[1]}.{parts[0]}", out Ipv4Address address))
        {
            foreach (NameTable table in _tables)
            {
                if (table.FindHost(address) is { } host)
                {
                    return new DnsAnswer(
                        DnsResponseCode.NoError, [], $"{host}.{table.Network.Name}", $"container on network {table.Network.Name}");
                }
            }
        }

        return DnsAnswer.Refused("no task or container has this address; Docker would ask the node's own resolver");
    }
}
