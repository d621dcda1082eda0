using System.Text.Json;
using FastPathLb.Topology;

namespace FastPathLb.Cli.Output;

/// <summary>A swarm's topology as JSON.</summary>
internal static class TopologyJson
{
    /// <summary>Writes it.</summary>
    public static void Write(TextWriter output, SwarmTopology swarm)
    {
        using JsonOutput json = new(output);
        Utf8JsonWriter writer = json.Writer;
        writer.WriteStartObject();
        writer.WriteString("origin", swarm.Origin);
        WriteAll(writer, "nodes", swarm.Nodes, WriteNode);
        WriteAll(writer, "ports", swarm.Ports, WritePort);
        WriteAll(writer, "networks", swarm.Networks, WriteNetwork);
        SummaryJson.WriteStrings(writer, "notes", swarm.Notes);
        writer.WriteEndObject();
        json.End();
    }

    private static void WriteAll<T>(Utf8JsonWriter writer, string name, IEnumerable<T> items, Action<Utf8JsonWriter, T> write)
    {
        writer.WriteStartArray(name);
        foreach (T item in items)
        {
            writer.WriteStartObject();
            write(writer, item);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WriteNode(Utf8JsonWriter writer, TopologyNode node)
    {
        writer.WriteString("name", node.Name);
        writer.WriteString("id", node.Id);
        writer.WriteString("address", node.Address?.ToString());
        writer.WriteBoolean("self", node.IsSelf);
        writer.WriteString("status", node.Status);
        writer.WriteString("availability", node.Availability);
        writer.WriteString("managerStatus", node.ManagerStatus);
        writer.WriteString("engineVersion", node.EngineVersion);
    }

    private static void WritePort(Utf8JsonWriter writer, PublishedPort port)
    {
        writer.WriteString("protocol", port.Protocol.ToString().ToLowerInvariant());
        writer.WriteNumber("published", port.Published);
        writer.WriteNumber("target", port.Target);
        writer.WriteString("mode", port.Mode);
        writer.WriteString("service", port.Service);
        WriteNumber(writer, "mark", port.Fwmark);
        writer.WriteString("sandbox", port.Sandbox?.ToString());
    }

    private static void WriteNetwork(Utf8JsonWriter writer, TopologyNetwork network)
    {
        writer.WriteString("name", network.Name);
        writer.WriteString("id", network.Id);
        writer.WriteString("driver", network.Driver);
        WriteNumber(writer, "vni", network.Vni?.Value);
        WriteNumber(writer, "port", network.VxlanPort);
        writer.WriteString("subnet", network.Subnet?.ToString());
        writer.WriteString("gateway", network.Gateway?.ToString());
        WriteNumber(writer, "mtu", network.MtuBytes);
        writer.WriteBoolean("ingress", network.IsIngress);
        writer.WriteBoolean("encrypted", network.IsEncrypted);
        writer.WriteBoolean("directReturn", network.IsDirectReturn);
        WriteAll(writer, "balancers", network.Balancers, (into, balancer) =>
        {
            into.WriteString("node", balancer.Node);
            into.WriteString("address", balancer.Address.ToString());
            into.WriteString("mac", balancer.Mac.ToString());
            into.WriteBoolean("self", balancer.IsSelf);
        });
        WriteAll(writer, "services", network.Services, WriteService);
        WriteAll(writer, "others", network.Others, WriteTask);
        WriteAll(writer, "vteps", network.Vteps, (into, vtep) =>
        {
            into.WriteString("address", vtep.Address.ToString());
            into.WriteString("node", vtep.Node);
            WriteAll(into, "endpoints", vtep.Endpoints, (to, endpoint) =>
            {
                to.WriteString("mac", endpoint.Mac.ToString());
                to.WriteString("address", endpoint.Address?.ToString());
            });
        });
    }

    private static void WriteService(Utf8JsonWriter writer, TopologyService service)
    {
        writer.WriteString("name", service.Name);
        writer.WriteString("vip", service.VirtualAddress?.ToString());
        WriteNumber(writer, "mark", service.Fwmark);
        writer.WriteString("endpointMode", service.EndpointMode);
        writer.WriteString("scheduler", service.Scheduler);
        WriteAll(writer, "tasks", service.Tasks, WriteTask);
    }

    private static void WriteTask(Utf8JsonWriter writer, TopologyTask task)
    {
        writer.WriteString("name", task.Name);
        writer.WriteString("address", task.Address.ToString());
        writer.WriteString("mac", task.Mac?.ToString());
        writer.WriteString("node", task.Node);
        writer.WriteBoolean("local", task.IsLocal);
        WriteNumber(writer, "weight", task.Weight);
    }

    private static void WriteNumber(Utf8JsonWriter writer, string name, long? value)
    {
        if (value is { } number)
        {
            writer.WriteNumber(name, number);
        }
        else
        {
            writer.WriteNull(name);
        }
    }
}
