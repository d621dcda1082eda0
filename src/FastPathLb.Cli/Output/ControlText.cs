using System.Text.Json;

namespace FastPathLb.Cli.Output;

/// <summary>A reply of a running load balancer, for people.</summary>
internal static class ControlText
{
    /// <summary>Writes the reply.</summary>
    public static void Write(TextWriter output, JsonElement reply)
    {
        if (reply.TryGetProperty("services", out JsonElement services))
        {
            WriteServices(output, services);
        }
        else if (reply.TryGetProperty("connections", out JsonElement connections) && connections.ValueKind == JsonValueKind.Array)
        {
            WriteRows(output, connections, ["protocol", "state", "secondsLeft", "client", "virtual", "server"]);
            int shown = connections.GetArrayLength();
            int total = reply.GetProperty("total").GetInt32();
            if (shown < total)
            {
                output.WriteLine($"{total - shown} more (--limit)");
            }
        }
        else if (reply.TryGetProperty("drops", out JsonElement drops))
        {
            WriteRows(output, drops, ["frames", "reason", "text"]);
            WriteFlat(output, reply.GetProperty("device"), "device ");
        }
        else if (reply.TryGetProperty("neighbors", out JsonElement neighbors))
        {
            WriteRows(output, neighbors, ["interface", "address", "mac", "state"]);
        }
        else
        {
            WriteFlat(output, reply, string.Empty);
        }
    }

    private static void WriteServices(TextWriter output, JsonElement services)
    {
        const string Columns = "{0,-32} {1,6} {2,8} {3,8} {4,10} {5,12} {6,12}";
        output.WriteLine(string.Format(null, Columns, "service", "weight", "active", "inactive", "conns", "packets in", "packets out"));
        foreach (JsonElement service in services.EnumerateArray())
        {
            string title = $"{service.GetProperty("service")} {service.GetProperty("address")} {service.GetProperty("scheduler")}";
            output.WriteLine(string.Format(
                null, Columns, title, "", "", "", service.GetProperty("connections"), service.GetProperty("packetsIn"),
                service.GetProperty("packetsOut")));
            foreach (JsonElement server in service.GetProperty("servers").EnumerateArray())
            {
                output.WriteLine(string.Format(
                    null, Columns, $"  -> {server.GetProperty("server")}", server.GetProperty("weight"), server.GetProperty("active"),
                    server.GetProperty("inactive"), server.GetProperty("connections"), server.GetProperty("packetsIn"),
                    server.GetProperty("packetsOut")));
            }
        }
    }

    private static void WriteRows(TextWriter output, JsonElement rows, string[] names)
    {
        int[] widths = [.. names.Select(name => rows.EnumerateArray().Select(row => $"{row.GetProperty(name)}".Length).DefaultIfEmpty(0).Max())];
        foreach (JsonElement row in rows.EnumerateArray())
        {
            output.WriteLine(string.Join("  ", names.Select((name, index) => $"{row.GetProperty(name)}".PadRight(widths[index]))).TrimEnd());
        }
    }

    private static void WriteFlat(TextWriter output, JsonElement item, string prefix)
    {
        foreach (JsonProperty property in item.EnumerateObject())
        {
            if (property.Value.ValueKind == JsonValueKind.Object)
            {
                WriteFlat(output, property.Value, $"{prefix}{property.Name} ");
            }
            else if (property.Value.ValueKind == JsonValueKind.Array)
            {
                int number = 0;
                foreach (JsonElement part in property.Value.EnumerateArray())
                {
                    WriteFlat(output, part, $"{prefix}{property.Name} {number++} ");
                }
            }
            else if (property.Name != "ok")
            {
                output.WriteLine($"{prefix}{property.Name} {property.Value}");
            }
        }
    }
}
