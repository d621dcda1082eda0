using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>Reads <c>services</c>.</summary>
internal static class LbConfigServiceReader
{
    // Marks of services that name none: as Docker numbers them.
    private const uint FirstMark = 0x100;
    private const int WeightMax = 65535;
    private const int PersistenceMax = 31 * 24 * 3600;

    private static readonly string[] s_schedulers =
    [
        "rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh", "twos",
    ];

    private static readonly string[] s_flags = ["sh-port", "sh-fallback", "mh-port", "mh-fallback", "flag-1", "flag-2", "flag-3"];

    /// <summary>Reads the list.</summary>
    public static IReadOnlyList<ServiceSection> ReadAll(YamlNode? node)
    {
        List<ServiceSection> services = [];
        HashSet<IpvsKey> keys = [];
        HashSet<uint> marks = [.. YamlFields.Items(node).OfType<YamlMap>().Select(MarkOf)];
        foreach (YamlNode item in YamlFields.Items(node))
        {
            ServiceSection service = Read(item, marks);
            if (!keys.Add(service.Service.Key))
            {
                throw item.Place.Problem($"service {IpvsText.NameOf(service.Service)} stands here twice");
            }

            services.Add(service);
        }

        return services;
    }

    // The mark that a service names, before the service is read.
    private static uint MarkOf(YamlMap map)
    {
        YamlNode? mark = map.Entries.FirstOrDefault(entry => entry.Key.Value == "mark").Value;
        return mark is YamlScalar scalar && NumberText.TryUInt(scalar.Value, out uint value) ? value : 0;
    }

    private static ServiceSection Read(YamlNode node, HashSet<uint> marks)
    {
        YamlFields fields = new(
            node,
            "a service",
            ["name", "vip", "mark", "protocol", "port", "scheduler", "flags", "persistence", "netmask", "one-packet", "servers"]);
        Ipv4Address? vip = fields["vip"] is { } text ? YamlFields.Address(text) : null;
        IpvsServiceState service = ReadKey(fields, vip, marks) with
        {
            Scheduler = fields["scheduler"] is { } scheduler ? YamlFields.OneOf(scheduler, "scheduler", s_schedulers) : "rr",
            SchedulerFlags = [.. YamlFields.Items(fields["flags"]).Select(flag => YamlFields.OneOf(flag, "scheduler flag", s_flags))],
            PersistenceSeconds = fields["persistence"] is { } seconds
                ? YamlFields.Number(seconds, "seconds of persistence", 1, PersistenceMax)
                : 0,
            Netmask = fields["netmask"] is { } mask ? YamlFields.Address(mask) : IpvsServiceState.AllOnes,
            OnePacket = fields["one-packet"] is { } onePacket && YamlFields.Flag(onePacket),
        };
        List<IpvsServerState> servers = [];
        foreach (YamlNode item in YamlFields.Items(fields["servers"]))
        {
            IpvsServerState server = ReadServer(item, service);
            if (servers.Exists(other => other.Address == server.Address && other.Port == server.Port))
            {
                throw item.Place.Problem($"server {server.Address}:{server.Port} stands here twice");
            }

            servers.Add(server);
        }

        return new ServiceSection(fields["name"] is { } name ? YamlFields.Text(name) : null, vip, service with { Servers = servers });
    }

    // By mark, or by protocol, VIP and port; a service that names neither gets the next mark.
    private static IpvsServiceState ReadKey(YamlFields fields, Ipv4Address? vip, HashSet<uint> marks)
    {
        IpvsServiceState service = new() { Scheduler = "rr" };
        if (fields["mark"] is { } mark)
        {
            foreach (string key in (string[])["protocol", "port"])
            {
                if (fields[key] is { } other)
                {
                    throw other.Place.Problem($"a service with a mark takes all ports: '{key}' belongs to one without");
                }
            }

            return service with { Fwmark = YamlFields.Mark(mark) };
        }

        if (vip is null)
        {
            throw fields.Place.Problem("a service must have 'vip' or 'mark'");
        }

        if (fields["port"] is { } port)
        {
            string protocol = fields["protocol"] is { } name ? YamlFields.OneOf(name, "protocol", "tcp", "udp", "sctp") : "tcp";
            return service with
            {
                Protocol = protocol == "tcp" ? IpProtocol.Tcp : protocol == "udp" ? IpProtocol.Udp : IpProtocol.Sctp,
                Address = vip.Value,
                Port = (ushort)YamlFields.Number(port, "a port", 0, ushort.MaxValue),
            };
        }

        if (fields["protocol"] is { } lonely)
        {
            throw lonely.Place.Problem("a service with a protocol must have 'port'");
        }

        uint next = FirstMark;
        while (!marks.Add(next))
        {
            next++;
        }

        return service with { Fwmark = next };
    }

    // "10.0.1.3", "10.0.1.3:8080", or address, port, weight, forwarding, upper, lower.
    private static IpvsServerState ReadServer(YamlNode node, IpvsServiceState service)
    {
        if (node is YamlScalar scalar)
        {
            (Ipv4Address address, ushort? port) = IpvsadmReader.ParseEndpoint(scalar.Value, node.Place);
            return new IpvsServerState(address, port ?? service.Port);
        }

        YamlFields fields = new(node, "a server", "address", "port", "weight", "forwarding", "upper", "lower");
        string forwarding = fields["forwarding"] is { } text
            ? YamlFields.OneOf(text, "forwarding", "masq", "route", "tunnel", "local")
            : "masq";
        return new IpvsServerState(
            YamlFields.Address(fields.Required("address")),
            fields["port"] is { } own ? (ushort)YamlFields.Number(own, "a port", 0, ushort.MaxValue) : service.Port,
            forwarding switch
            {
                "masq" => IpvsForwarding.Masq,
                "route" => IpvsForwarding.Route,
                "tunnel" => IpvsForwarding.Tunnel,
                _ => IpvsForwarding.Local,
            },
            fields["weight"] is { } weight ? YamlFields.Number(weight, "a weight", 0, WeightMax) : 1,
            fields["upper"] is { } upper ? YamlFields.Number(upper, "a number of connections", 0, int.MaxValue) : 0,
            fields["lower"] is { } lower ? YamlFields.Number(lower, "a number of connections", 0, int.MaxValue) : 0);
    }
}
