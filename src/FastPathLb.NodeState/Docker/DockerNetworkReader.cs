using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>Reads <c>docker network inspect</c>, with and without <c>-v</c>.</summary>
public static class DockerNetworkReader
{
    private const string VniOption = "com.docker.network.driver.overlay.vxlanid_list";

    /// <summary>Reads the whole text.</summary>
    /// <exception cref="NodeStateException">It is no such inspect.</exception>
    public static IReadOnlyList<DockerNetwork> Parse(string text, string fileName) => JsonReader.ReadAll(text, fileName, ReadNetwork);

    private static DockerNetwork ReadNetwork(JsonReader json)
    {
        Dictionary<string, string> options = new(StringComparer.Ordinal);
        foreach ((string name, JsonReader value) in json["Options"].Members())
        {
            options[name] = value.Text();
        }

        List<DockerSubnet> subnets = [];
        foreach (JsonReader subnet in json["IPAM"]["Config"].Items())
        {
            if (subnet["Subnet"].Prefix() is { } prefix)
            {
                subnets.Add(new DockerSubnet(new Ipv4Prefix(prefix.Network, prefix.Length), subnet["Gateway"].Prefix()?.Address));
            }
        }

        return new DockerNetwork
        {
            Name = json["Name"].RequiredText(),
            Id = json["Id"].Text(),
            Driver = json["Driver"].Text(),
            Scope = json["Scope"].Text(),
            IsIngress = json["Ingress"].Flag(),
            Subnets = subnets,
            Vnis = ReadVnis(json["Options"][VniOption]),
            Options = options,
            Endpoints = ReadEndpoints(json["Containers"]),
            Peers = ReadPeers(json["Peers"]),
            Services = [.. json["Services"].Members().Select(member => ReadService(member.Name, member.Value))],
            IsVerbose = json["Services"].Exists,
        };
    }

    private static List<Vni> ReadVnis(JsonReader json)
    {
        List<Vni> vnis = [];
        foreach (string part in json.Text().Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            vnis.Add(NumberText.TryUInt(part, out uint value) && Vni.TryCreate(value, out Vni vni)
                ? vni
                : throw json.Expected("VNIs from 0 to 16777215"));
        }

        return vnis;
    }

    private static List<DockerEndpoint> ReadEndpoints(JsonReader json)
    {
        List<DockerEndpoint> endpoints = [];
        foreach ((string id, JsonReader endpoint) in json.Members())
        {
            if (endpoint["IPv4Address"].Prefix() is { } address)
            {
                MacAddress mac = endpoint["MacAddress"].Mac() ?? MacAddress.FromDocker(address.Address);
                endpoints.Add(new DockerEndpoint(id, endpoint["Name"]
                    .Text(), endpoint["EndpointID"]
                    .Text(), mac, address.Address, address.Length));
            }
        }

        return endpoints;
    }

    private static List<DockerPeer> ReadPeers(JsonReader json)
    {
        List<DockerPeer> peers = [];
        foreach (JsonReader peer in json.Items())
        {
            if (peer["IP"].Address() is { } address)
            {
                peers.Add(new DockerPeer(peer["Name"].Text(), address));
            }
        }

        return peers;
    }

    private static DockerNetworkService ReadService(string name, JsonReader json)
    {
        List<DockerNetworkTask> tasks = [];
        foreach (JsonReader task in json["Tasks"].Items())
        {
            if (task["EndpointIP"].Address() is { } address)
            {
                tasks.Add(new DockerNetworkTask(task["Name"]
                    .Text(), task["EndpointID"]
                    .Text(), address, task["Info"]["Host IP"]
                    .Address()));
            }
        }

        return new DockerNetworkService(
            name,
            json["VIP"].Address(),
            json["Ports"].Texts(),
            (uint)(json["LocalLBIndex"].Number(uint.MaxValue) ?? 0),
            tasks);
    }
}
