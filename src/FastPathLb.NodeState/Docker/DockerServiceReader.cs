using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>Reads <c>docker service inspect</c>.</summary>
public static class DockerServiceReader
{
    /// <summary>Reads the whole text.</summary>
    /// <exception cref="NodeStateException">It is no such inspect.</exception>
    public static IReadOnlyList<DockerService> Parse(string text, string fileName) => JsonReader.ReadAll(text, fileName, ReadService);

    private static DockerService ReadService(JsonReader json)
    {
        JsonReader spec = json["Spec"];
        JsonReader endpoint = json["Endpoint"];
        string mode = endpoint["Spec"]["Mode"].Text() is { Length: > 0 } actual ? actual : spec["EndpointSpec"]["Mode"].Text();
        JsonReader networks = spec["TaskTemplate"]["Networks"].Exists ? spec["TaskTemplate"]["Networks"] : spec["Networks"];
        return new DockerService
        {
            Id = json["ID"].RequiredText(),
            Name = spec["Name"].RequiredText(),
            EndpointMode = mode.Length == 0 ? "vip" : mode,
            Replicas = (int?)spec["Mode"]["Replicated"]["Replicas"].Number(),
            Ports = ReadPorts(endpoint["Ports"].Exists ? endpoint["Ports"] : spec["EndpointSpec"]["Ports"]),
            VirtualAddresses = ReadAddresses(endpoint["VirtualIPs"]),
            Networks = [.. networks.Items().Select(item => new DockerAttachment(item["Target"].Text(), item["Aliases"].Texts()))],
        };
    }

    private static List<DockerPort> ReadPorts(JsonReader json)
    {
        List<DockerPort> ports = [];
        foreach (JsonReader port in json.Items())
        {
            string protocol = port["Protocol"].Text();
            if (!ProtocolText.TryParse(protocol.Length == 0 ? "tcp" : protocol, out IpProtocol number))
            {
                throw port["Protocol"].Expected("tcp, udp or sctp");
            }

            string mode = port["PublishMode"].Text();
            ports.Add(new DockerPort(
                number,
                (ushort)(port["TargetPort"].Number(ushort.MaxValue) ?? 0),
                (ushort)(port["PublishedPort"].Number(ushort.MaxValue) ?? 0),
                mode.Length == 0 ? "ingress" : mode));
        }

        return ports;
    }

    private static List<DockerVirtualAddress> ReadAddresses(JsonReader json)
    {
        List<DockerVirtualAddress> addresses = [];
        foreach (JsonReader item in json.Items())
        {
            if (item["Addr"].Prefix() is { } address)
            {
                addresses.Add(new DockerVirtualAddress(item["NetworkID"].Text(), address.Address, address.Length));
            }
        }

        return addresses;
    }
}
