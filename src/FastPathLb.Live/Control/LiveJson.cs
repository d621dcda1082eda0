using System.Text.Json;
using FastPathLb.Live.Metrics;
using FastPathLb.Pipeline;

namespace FastPathLb.Live.Control;

/// <summary>Figures as JSON. Names are for programs: they change only with a note.</summary>
internal static class LiveJson
{
    public static void WriteServices(Utf8JsonWriter writer, LiveSnapshot snapshot)
    {
        writer.WriteStartArray("services");
        foreach (ServiceFigures service in snapshot.Services)
        {
            writer.WriteStartObject();
            writer.WriteString("service", service.Name);
            writer.WriteString("address", service.Address);
            writer.WriteString("scheduler", service.Scheduler);
            WriteTraffic(writer, service.Traffic);
            writer.WriteStartArray("servers");
            foreach (ServerFigures server in service.Servers)
            {
                writer.WriteStartObject();
                writer.WriteString("server", server.Server);
                writer.WriteNumber("weight", server.Weight);
                writer.WriteNumber("active", server.Active);
                writer.WriteNumber("inactive", server.Inactive);
                WriteTraffic(writer, server.Traffic);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    public static void WriteCounters(Utf8JsonWriter writer, LiveSnapshot snapshot)
    {
        writer.WriteString("device", snapshot.Device);
        writer.WriteString("kind", snapshot.Kind);
        writer.WriteNumber("framesIn", snapshot.Interface.FramesIn);
        writer.WriteNumber("bytesIn", snapshot.Interface.BytesIn);
        writer.WriteNumber("framesOut", snapshot.Interface.FramesOut);
        writer.WriteNumber("bytesOut", snapshot.Interface.BytesOut);
        writer.WriteNumber("framesEstablished", snapshot.EstablishedFrames);
        writer.WriteStartObject("verdicts");
        foreach ((Verdict verdict, long frames) in snapshot.Verdicts)
        {
            writer.WriteNumber(verdict.ToString().ToLowerInvariant(), frames);
        }

        writer.WriteEndObject();
        writer.WriteNumber("connections", snapshot.Connections);
        writer.WriteNumber("capacity", snapshot.Capacity);
        writer.WriteStartObject("states");
        foreach ((string state, int connections) in snapshot.States)
        {
            writer.WriteNumber(state, connections);
        }

        writer.WriteEndObject();
        writer.WriteStartArray("workers");
        foreach (WorkerFigures worker in snapshot.Workers)
        {
            writer.WriteStartObject();
            writer.WriteNumber("worker", worker.Number);
            writer.WriteNumber("framesIn", worker.Queue.FramesIn);
            writer.WriteNumber("framesOut", worker.Queue.FramesOut);
            writer.WriteNumber("framesEstablished", worker.EstablishedFrames);
            writer.WriteNumber("handedOver", worker.HandedOver);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        if (snapshot.RecordedFrames >= 0)
        {
            writer.WriteNumber("recorded", snapshot.RecordedFrames);
        }

        if (snapshot.RecordingFailure is { } failure)
        {
            writer.WriteString("recordingFailure", failure);
        }
    }

    public static void WriteDrops(Utf8JsonWriter writer, LiveSnapshot snapshot)
    {
        writer.WriteStartArray("drops");
        foreach ((DropReason reason, long frames) in snapshot.Reasons)
        {
            writer.WriteStartObject();
            writer.WriteString("reason", DropReasonText.Name(reason));
            writer.WriteNumber("frames", frames);
            writer.WriteString("text", DropReasonText.Describe(reason));
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartObject("device");
        writer.WriteNumber("interfaceDown", snapshot.Interface.DownDrops);
        writer.WriteNumber("queueFull", snapshot.Interface.QueueFullDrops);
        writer.WriteNumber("tooLong", snapshot.Interface.TooLongDrops);
        writer.WriteNumber("receiveQueueFull", snapshot.Interface.ReceiveDrops);
        writer.WriteNumber("handOverFull", snapshot.Workers.Sum(worker => worker.HandOverDrops));
        writer.WriteEndObject();
    }

    public static void WriteConnections(Utf8JsonWriter writer, (int Total, IReadOnlyList<ShownConnection> Shown) connections)
    {
        writer.WriteNumber("total", connections.Total);
        writer.WriteStartArray("connections");
        foreach (ShownConnection connection in connections.Shown)
        {
            writer.WriteStartObject();
            writer.WriteString("protocol", connection.Protocol);
            writer.WriteString("state", connection.State);
            writer.WriteNumber("secondsLeft", connection.SecondsLeft);
            writer.WriteString("client", connection.Client);
            writer.WriteString("virtual", connection.Virtual);
            writer.WriteString("server", connection.Server);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    public static void WriteNeighbors(Utf8JsonWriter writer, IReadOnlyList<ShownNeighbor> neighbors)
    {
        writer.WriteStartArray("neighbors");
        foreach (ShownNeighbor neighbor in neighbors)
        {
            writer.WriteStartObject();
            writer.WriteString("interface", neighbor.Interface);
            writer.WriteString("address", neighbor.Address);
            writer.WriteString("mac", neighbor.Mac);
            writer.WriteString("state", neighbor.State);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WriteTraffic(Utf8JsonWriter writer, TrafficFigures traffic)
    {
        writer.WriteNumber("connections", traffic.Connections);
        writer.WriteNumber("packetsIn", traffic.InPackets);
        writer.WriteNumber("packetsOut", traffic.OutPackets);
        writer.WriteNumber("bytesIn", traffic.InBytes);
        writer.WriteNumber("bytesOut", traffic.OutBytes);
    }
}
