using System.Text.Json;
using System.Text.RegularExpressions;
using FastPathLb.NodeState;
using FastPathLb.TestKit;

namespace FastPathLb.Topology.Tests;

/// <summary>The topology against Docker's own files and the kernel's dumps, each read here in a way of its own.</summary>
public sealed partial class TopologyTests
{
    public static TheoryData<string> Swarms => ["swarm-web", "swarm-scale"];

    [Theory]
    [MemberData(nameof(Swarms))]
    public void Virtual_addresses_marks_and_tasks_are_those_of_network_inspect(string recording)
    {
        SwarmTopology swarm = TopologyReader.Read(Recordings.ReadNode(recording));
        foreach (string name in (string[])["ingress", "mynet"])
        {
            TopologyNetwork network = swarm.Networks.Single(item => item.Name == name);
            using JsonDocument inspect = JsonDocument.Parse(
                File.ReadAllText(Recordings.PathOf(recording, $"network-inspect-v.{name}.json")));
            JsonElement docker = inspect.RootElement[0];
            Assert.Equal(docker.GetProperty("IPAM").GetProperty("Config")[0].GetProperty("Subnet").GetString(), network.Subnet.ToString());
            Assert.Equal(
                docker.GetProperty("Options").GetProperty("com.docker.network.driver.overlay.vxlanid_list").GetString(),
                    network.Vni.ToString());
            Assert.Equal(docker.GetProperty("Ingress").GetBoolean(), network.IsIngress);

            List<string> expected = [];
            foreach (JsonProperty service in docker.GetProperty("Services").EnumerateObject().Where(service => service.Name.Length > 0))
            {
                string head = $"{service.Name} {service.Value.GetProperty("VIP")} {service.Value.GetProperty("LocalLBIndex")}";
                foreach (JsonElement task in service.Value.GetProperty("Tasks").EnumerateArray())
                {
                    string host = task.GetProperty("Info").GetProperty("Host IP").GetString()!;
                    string taskName = task.GetProperty("Name").GetString()!;
                    expected.Add($"{head}: {taskName[..taskName.LastIndexOf('.')]} {task.GetProperty("EndpointIP")} {host}");
                }
            }

            IEnumerable<string> found =
                from service in network.Services
                from task in service.Tasks
                let host = swarm.Nodes.Single(node => node.Name == task.Node).Address
                select $"{service.Name} {service.VirtualAddress} {service.Fwmark}: {task.Name} {task.Address} {host}";
            Assert.NotEmpty(expected);
            Assert.Equal(expected.Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
        }
    }

    [Theory]
    [MemberData(nameof(Swarms))]
    public void Servers_and_weights_are_those_of_ipvsadm(string recording)
    {
        SwarmTopology swarm = TopologyReader.Read(Recordings.ReadNode(recording));
        foreach ((string space, string name) in ((string, string)[])[("ingress", "ingress"), ("lb", "mynet")])
        {
            IEnumerable<string> expected = ServerLine().Matches(File.ReadAllText(Recordings.PathOf(recording, $"{space}.ipvsadm-save.txt")))
                .Select(match => $"{match.Groups[1]} {match.Groups[2]} {match.Groups[3]}");
            IEnumerable<string> found =
                from service in swarm.Networks.Single(network => network.Name == name).Services
                from task in service.Tasks
                where task.Weight is not null
                select $"{service.Fwmark} {task.Address} {task.Weight}";
            Assert.NotEmpty(expected);
            Assert.Equal(expected.Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
        }
    }

    [Theory]
    [MemberData(nameof(Swarms))]
    public void Tunnel_endpoints_are_those_of_the_forwarding_database(string recording)
    {
        SwarmTopology swarm = TopologyReader.Read(Recordings.ReadNode(recording));
        foreach ((string space, string name) in ((string, string)[])[("ingress-overlay", "ingress"), ("overlay", "mynet")])
        {
            IEnumerable<string> expected = TunnelLine().Matches(File.ReadAllText(Recordings.PathOf(recording, $"{space}.bridge-fdb.txt")))
                .Select(match => $"{match.Groups[1]} {match.Groups[2]}");
            IEnumerable<string> found =
                from vtep in swarm.Networks.Single(network => network.Name == name).Vteps
                from endpoint in vtep.Endpoints
                select $"{endpoint.Mac} {vtep.Address}";
            Assert.NotEmpty(expected);
            Assert.Equal(expected.Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public void Each_node_has_its_name_and_its_address()
    {
        SwarmTopology swarm = TopologyReader.Read(Recordings.ReadNode("swarm-web"));
        Assert.Equal(
            ["node1 172.19.177.14 True Leader", "node2 172.19.188.123 False "],
            swarm.Nodes.Select(node => $"{node.Name} {node.Address} {node.IsSelf} {node.ManagerStatus}"));
    }

    [Fact]
    public void The_second_nodes_files_have_it_as_the_first()
    {
        SwarmTopology swarm = TopologyReader.Read(NodeDumpReader.Read(Recordings.PathOf("swarm-web"), "node2."));
        Assert.Equal(
            ["node2 172.19.188.123 True", "node1 172.19.177.14 False"],
                swarm.Nodes.Select(node => $"{node.Name} {node.Address} {node.IsSelf}"));
        TopologyNetwork network = swarm.Networks.Single(item => item.Name == "mynet");
        Assert.Equal("10.0.1.5", network.Balancers.Single(balancer => balancer.IsSelf).Address.ToString());
        Assert.Equal("node1", network.Services.Single(service => service.Name == "web").Tasks.Single(task => !task.IsLocal).Node);
    }

    [Fact]
    public void Load_balancers_of_both_nodes_are_found()
    {
        SwarmTopology swarm = TopologyReader.Read(Recordings.ReadNode("swarm-web"));
        Assert.Equal(
            ["ingress node1 10.0.0.2", "ingress node2 10.0.0.3", "mynet node1 10.0.1.6", "mynet node2 10.0.1.5"],
            swarm.Networks.SelectMany(
                network => network.Balancers.Select(balancer => $"{network.Name} {balancer.Node} {balancer.Address}")));
    }

    [Fact]
    public void A_published_port_has_its_mark_and_the_sandbox_the_host_sends_it_to()
    {
        PublishedPort port = Assert.Single(TopologyReader.Read(Recordings.ReadNode("swarm-web")).Ports);
        Assert.Equal((8080, 80, "ingress", "web", 0x100u), (port.Published, port.Target, port.Mode, port.Service, port.Fwmark!.Value));
        Assert.Equal("172.18.0.2", port.Sandbox.ToString());
    }

    [Fact]
    public void Dumps_without_Docker_tell_services_by_their_addresses()
    {
        TopologyNetwork network = Assert.Single(TopologyReader.Read(Recordings.ReadNode("rr-two-services")).Networks);
        Assert.Equal(
            ["10.0.1.2 273 10.0.1.3 10.0.1.4", "10.0.1.7 274 10.0.1.8"],
            network.Services.Select(
                service => $"{service.Name} {service.Fwmark} {string.Join(' ', service.Tasks.Select(task => task.Address))}"));
    }

    [Fact]
    public void Every_recording_has_a_topology_and_a_drawing()
    {
        Assert.NotEmpty(Recordings.Names);
        foreach (string recording in Recordings.Names)
        {
            SwarmTopology swarm = TopologyReader.Read(Recordings.ReadNode(recording));
            using StringWriter svg = new();
            TopologyDrawing.Write(swarm, svg);
            string picture = svg.ToString();
            System.Xml.Linq.XDocument.Parse(picture);
            foreach (TopologyService service in swarm.Networks.SelectMany(network => network.Services))
            {
                Assert.Contains($"VIP {service.VirtualAddress}", picture);
                Assert.All(service.Tasks, task => Assert.Contains(task.Address.ToString(), picture));
            }
        }
    }

    [Fact]
    public void A_service_without_VIP_is_drawn_without_arrows_and_its_hosts_ports_where_its_tasks_run()
    {
        NodeState.NodeState node = Recordings.ReadNode("swarm-web");
        DockerNetwork mynet = node.Docker.FindNetwork("mynet")!;
        DockerState docker = node.Docker with
        {
            Networks =
            [
                mynet with
                {
                    Services = [.. mynet.Services.Select(service => service.Name == "web" ? service with { VirtualAddress = null } : service)],
                },
            ],
            Services =
            [
                .. node.Docker.Services.Where(service => service.Name == "web").Select(service => service with
                {
                    EndpointMode = "dnsrr",
                    VirtualAddresses = [],
                    Ports = [new DockerPort(Wire.IpProtocol.Tcp, 80, 9090, "host"), new DockerPort(Wire.IpProtocol.Udp, 53, 5353, "host")],
                }),
            ],
        };
        NamespaceState balancer = node["lb"] with { IpvsServices = [], Iptables = IptablesState.Empty };
        SwarmTopology swarm = TopologyReader.Read(node with
        {
            Docker = docker,
            Namespaces = new Dictionary<string, NamespaceState> { ["host"] = node["host"], ["lb"] = balancer, ["overlay"] = node["overlay"] },
        });
        using StringWriter svg = new();
        TopologyDrawing.Write(swarm, svg);
        string picture = svg.ToString();

        // web.1 is on node2, web.2 on node1.
        Assert.Equal(2, Regex.Count(picture, ":9090/tcp on the node"));
        Assert.Equal(2, Regex.Count(picture, ":5353/udp on the node"));
        Assert.Equal(2, Regex.Count(picture, ">dnsrr<"));
        Assert.DoesNotContain("VIP 10.0.1.2", picture);
    }

    [Fact]
    public void The_READMEs_picture_is_what_is_drawn()
    {
        using StringWriter svg = new();
        TopologyDrawing.Write(TopologyReader.Read(Recordings.ReadNode("swarm-web")), svg);
        string shown = File.ReadAllText(Path.Combine(Recordings.Repository, "src", "FastPathLb.Topology", "swarm-web.svg"));
        Assert.Equal(shown, svg.ToString());
    }

    [GeneratedRegex(@"^-a -f (\d+) -r ([\d.]+):0 -m -w (\d+)\s*$", RegexOptions.Multiline)]
    private static partial Regex ServerLine();

    [GeneratedRegex(@"^(\S+) dev vxlan0 dst (\S+) ", RegexOptions.Multiline)]
    private static partial Regex TunnelLine();
}
