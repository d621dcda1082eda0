using System.Globalization;
using FastPathLb.Topology;

namespace FastPathLb.Cli.Output;

/// <summary>A swarm's topology for people.</summary>
internal static class TopologyText
{
    /// <summary>Writes it.</summary>
    public static void Write(TextWriter writer, SwarmTopology swarm)
    {
        writer.WriteLine($"The swarm as {swarm.Nodes[0].Name} knows it ({swarm.Origin})");
        writer.WriteLine();
        TextTable nodes = new("Node", "underlay", "status", "manager", "Docker");
        foreach (TopologyNode node in swarm.Nodes)
        {
            string status = node.Availability is "" or "Active" ? node.Status : $"{node.Status}, {node.Availability}";
            nodes.Add(
                $"{node.Name}{(node.IsSelf ? " *" : "")}", node.Address?.ToString() ?? "?", status, node.ManagerStatus, node.EngineVersion);
        }

        nodes.Write(writer);
        WritePorts(writer, swarm);
        foreach (TopologyNetwork network in swarm.Networks)
        {
            writer.WriteLine();
            WriteNetwork(writer, network);
        }

        SummaryText.WriteNotes(writer, swarm.Notes);
    }

    private static void WritePorts(TextWriter writer, SwarmTopology swarm)
    {
        if (swarm.Ports.Count == 0)
        {
            return;
        }

        writer.WriteLine();
        TextTable ports = new("Published", "service", "target", "mode", "mark", "sandbox");
        foreach (PublishedPort port in swarm.Ports)
        {
            ports.Add(
                $"{port.Published}/{port.Protocol.ToString().ToLowerInvariant()}", port.Service, port.Target == 0 ? "?"
                    : Of(port.Target), port.Mode,
                MarkOf(port.Fwmark), port.Sandbox?.ToString() ?? "-");
        }

        ports.Write(writer);
    }

    private static void WriteNetwork(TextWriter writer, TopologyNetwork network)
    {
        List<string> facts = [network.Driver];
        if (network.IsIngress)
        {
            facts.Add("routing mesh");
        }

        if (network.Vni is { } vni)
        {
            facts.Add($"VNI {vni}");
        }

        if (network.VxlanPort is { } port)
        {
            facts.Add($"UDP {Of(port)}");
        }

        if (network.Subnet is { } subnet)
        {
            facts.Add($"{subnet}");
        }

        if (network.Gateway is { } gateway)
        {
            facts.Add($"gateway {gateway}");
        }

        if (network.MtuBytes is { } mtu)
        {
            facts.Add($"MTU {Of(mtu)}");
        }

        if (network.IsEncrypted)
        {
            facts.Add("encrypted");
        }

        if (network.IsDirectReturn)
        {
            facts.Add("direct return");
        }

        writer.WriteLine($"Network {network.Name}: {string.Join(", ", facts)}");
        TextTable table = new("", "", "", "", "");
        foreach (BalancerEndpoint balancer in network.Balancers)
        {
            table.Add("load balancer", balancer.Address.ToString(), balancer.Mac.ToString(), $"on {balancer.Node}", "");
        }

        foreach (TopologyService service in network.Services)
        {
            string mode = service.EndpointMode == "vip" ? "" : service.EndpointMode;
            table.Add(
                $"service {service.Name}", service.VirtualAddress?.ToString() ?? "no VIP", $"mark {MarkOf(service.Fwmark)}",
                    service.Scheduler ?? mode, "");
            foreach (TopologyTask task in service.Tasks)
            {
                Add(table, task, "  -> ");
            }
        }

        foreach (TopologyTask other in network.Others)
        {
            Add(table, other, "endpoint ");
        }

        foreach (TopologyVtep vtep in network.Vteps)
        {
            IEnumerable<string> behind = vtep.Endpoints.Select(endpoint => endpoint.Address?.ToString() ?? endpoint.Mac.ToString());
            table.Add("tunnel endpoint", vtep.Address.ToString(), $"node {vtep.Node}", $"for {string.Join(", ", behind)}", "");
        }

        table.Write(writer, hasHeads: false);
    }

    private static void Add(TextTable table, TopologyTask task, string before) => table.Add(
        $"{before}{task.Name}", task.Address.ToString(), task.Mac?.ToString() ?? "", task.Node is null ? "" : $"on {task.Node}",
        task.Weight is { } weight ? $"weight {Of(weight)}" : "");

    private static string MarkOf(uint? mark) => mark is { } value ? $"0x{value.ToString("x", CultureInfo.InvariantCulture)}" : "-";

    private static string Of(int value) => value.ToString(CultureInfo.InvariantCulture);
}
