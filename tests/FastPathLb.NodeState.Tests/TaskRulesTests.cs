using FastPathLb.Wire;

namespace FastPathLb.NodeState.Tests;

/// <summary>The rules in tasks' own namespaces, on the real Swarm's node.</summary>
public sealed class TaskRulesTests
{
    private static readonly NodeState s_node = Recordings.Read("swarm-web");

    [Fact]
    public void A_published_port_is_redirected_and_all_else_is_shut_out()
    {
        IptablesState rules = Find(s_node, "ingress", "10.0.0.6")!;

        Assert.Equal(
            ["-d 10.0.0.6/32 -p tcp -m tcp --dport 8080 -j REDIRECT --to-ports 80"],
            rules.Nat.FindChain("PREROUTING")!.Rules.Select(rule => rule.Text));
        Assert.Equal(
            [RuleTarget.Accept, RuleTarget.Drop, RuleTarget.Drop, RuleTarget.Drop],
            rules.Filter.FindChain("INPUT")!.Rules.Select(rule => rule.TargetKind).TakeLast(4));
    }

    [Fact]
    public void On_other_networks_there_are_none() => Assert.Null(Find(s_node, "mynet", "10.0.1.4"));

    [Fact]
    public void A_port_published_in_host_mode_is_no_matter_of_the_ingress_network()
    {
        NodeState node = s_node with
        {
            Docker = s_node.Docker with
            {
                Services = [.. s_node.Docker.Services.Select(service => service with
                {
                    Ports = [.. service.Ports.Select(port => port with { PublishMode = "host" })],
                })],
            },
        };

        Assert.Null(Find(node, "ingress", "10.0.0.6"));
    }

    [Fact]
    public void A_dump_of_the_tasks_namespace_is_taken_at_its_word()
    {
        NamespaceState dumped = s_node["ingress"] with
        {
            Name = "task",
            Interfaces = [s_node["ingress"].Interfaces[^1] with { Mac = MacAddress.Parse("02:42:0a:00:00:06") }],
        };
        NodeState node = s_node with
        {
            Namespaces = new Dictionary<string, NamespaceState>(s_node.Namespaces, StringComparer.Ordinal) { ["task"] = dumped },
        };

        Assert.Same(dumped.Iptables, Find(node, "ingress", "10.0.0.6"));
    }

    private static IptablesState? Find(NodeState node, string name, string address)
    {
        DockerNetwork network = node.Docker.FindNetwork(name)!;
        return TaskRules.Find(node, network, network.Endpoints.Single(endpoint => endpoint.Address == Ipv4Address.Parse(address)));
    }
}
