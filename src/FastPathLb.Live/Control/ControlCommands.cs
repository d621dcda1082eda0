using System.Buffers;
using System.Text.Json;
using FastPathLb.Balancer.Ipvs;
using FastPathLb.Balancer.Ipvs.Scheduling;
using FastPathLb.Balancer.Stack;
using FastPathLb.Conntrack;
using FastPathLb.Engine.Building;
using FastPathLb.Engine.Tables;
using FastPathLb.Live.Metrics;
using FastPathLb.Live.Running;
using FastPathLb.NodeState;
using FastPathLb.Wire;
using Microsoft.Extensions.Logging;

namespace FastPathLb.Live.Control;

/// <summary>
/// What can be asked of a running load balancer, JSON in and out. A request is an object with one of <c>show</c> (<c>services</c>,
/// <c>connections</c>, <c>counters</c>, <c>drops</c>, <c>neighbors</c>), <c>command</c> (a line of ipvsadm, iptables, ip, bridge or
/// sysctl) and <c>reload</c>. A reply has <c>ok</c>, and <c>error</c> where that is false.
/// </summary>
internal sealed class ControlCommands
{
    /// <summary>Connections shown where nothing else is asked for: copying them keeps the worker from its frames.</summary>
    public const int ConnectionsShownDefault = 1000;

    private const long NanosecondsPerSecond = 1_000_000_000;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private readonly LiveMembers _members;
    private readonly LiveReporter _reporter;
    private readonly WorkerMailbox _mailbox;
    private readonly ConfigurationReloader _reloader;
    private readonly LiveClock _clock;
    private readonly ILogger _logger;

    public ControlCommands(
        LiveMembers members, LiveReporter reporter, WorkerMailbox mailbox, ConfigurationReloader reloader, LiveClock clock,
        ILogger logger)
    {
        _members = members;
        _reporter = reporter;
        _mailbox = mailbox;
        _reloader = reloader;
        _clock = clock;
        _logger = logger;
    }

    /// <summary>Answers one request.</summary>
    /// <returns>The reply, one JSON document.</returns>
    public ReadOnlyMemory<byte> Answer(ReadOnlyMemory<byte> request)
    {
        ArrayBufferWriter<byte> reply = new();
        try
        {
            using JsonDocument document = JsonDocument.Parse(request);
            using Utf8JsonWriter writer = new(reply);
            writer.WriteStartObject();
            writer.WriteBoolean("ok", value: true);
            Answer(document.RootElement, writer);
            writer.WriteEndObject();
        }
        catch (Exception problem) when (problem is JsonException or NodeStateException or ControlException or TimeoutException
            or ArgumentException or InvalidOperationException or FormatException)
        {
            return Refuse(problem.Message.ReplaceLineEndings(" "));
        }

        return reply.WrittenMemory;
    }

    /// <summary>A reply that says no.</summary>
    public static ReadOnlyMemory<byte> Refuse(string problem)
    {
        ArrayBufferWriter<byte> reply = new();
        using (Utf8JsonWriter writer = new(reply))
        {
            writer.WriteStartObject();
            writer.WriteBoolean("ok", value: false);
            writer.WriteString("error", problem);
            writer.WriteEndObject();
        }

        return reply.WrittenMemory;
    }

    private void Answer(JsonElement request, Utf8JsonWriter writer)
    {
        if (request.ValueKind != JsonValueKind.Object)
        {
            throw new ControlException("a JSON object is expected");
        }

        if (request.TryGetProperty("command", out JsonElement command))
        {
            Carry(command.GetString() ?? string.Empty);
        }
        else if (request.TryGetProperty("reload", out _))
        {
            writer.WriteString("changes", _reloader.Reload(out string? problem) ?? throw new ControlException(problem ?? "refused"));
        }
        else if (request.TryGetProperty("show", out JsonElement shown))
        {
            Show(shown.GetString(), request, writer);
        }
        else
        {
            throw new ControlException("one of 'show', 'command' and 'reload' is expected");
        }
    }

    private void Carry(string text)
    {
        NodeCommand command = NodeCommandReader.Parse(text);
        CheckScheduler(command);
        string? note = _mailbox.Ask(() => Carry(command), s_patience);
        if (note is not null)
        {
            throw new ControlException(note);
        }

        LiveLog.CommandDone(_logger, text);
    }

    private string? Carry(NodeCommand command)
    {
        long now = _clock.Read();
        return _members.Change((member, _) => CommandApplier.Apply(member, command, now));
    }

    // The data path would take it for a mistake of the program's own.
    private static void CheckScheduler(NodeCommand command)
    {
        string? scheduler = command switch
        {
            IpvsAddService add => add.Service.Scheduler,
            IpvsEditService edit => edit.Service.Scheduler,
            _ => null,
        };
        if (scheduler is not null && !SchedulerCatalog.Contains(scheduler))
        {
            throw new ControlException($"scheduler {scheduler} is not known; one of {string.Join(' ', SchedulerCatalog.Names)} is expected");
        }
    }

    private void Show(string? what, JsonElement request, Utf8JsonWriter writer)
    {
        switch (what)
        {
            case "services":
                LiveJson.WriteServices(writer, _reporter.Take());
                break;
            case "counters":
                LiveJson.WriteCounters(writer, _reporter.Take());
                break;
            case "drops":
                LiveJson.WriteDrops(writer, _reporter.Take());
                break;
            case "connections":
                int limit = request.TryGetProperty("limit", out JsonElement asked) ? asked.GetInt32() : ConnectionsShownDefault;
                LiveJson.WriteConnections(writer, _mailbox.Ask(() => CopyConnections(limit), s_patience));
                break;
            case "neighbors":
                LiveJson.WriteNeighbors(writer, _mailbox.Ask(CopyNeighbors, s_patience));
                break;
            default:
                throw new ControlException(
                    $"nothing is called '{what}'; services, connections, counters, drops or neighbors is expected");
        }
    }

    private (int Total, IReadOnlyList<ShownConnection> Shown) CopyConnections(int limit)
    {
        long now = _clock.Read();
        List<ShownConnection> shown = [];
        ConnectionTable table = _members.First.Table;
        int total = 0;
        for (int number = 0; number < table.NumbersUsed; number++)
        {
            ref Connection connection = ref table[number];
            if (!connection.IsBalanced || connection.IpvsExpires <= now)
            {
                continue;
            }

            total++;
            if (shown.Count < limit)
            {
                RealServer server = _members.First.Namespace.Ipvs.Servers[connection.Server];
                shown.Add(new ShownConnection(
                    connection.Original.Protocol == IpProtocol.Udp ? "UDP" : "TCP", IpvsadmTables.StateOf(connection),
                    (connection.IpvsExpires - now) / NanosecondsPerSecond,
                    $"{new Ipv4Address(connection.Original.Source)}:{connection.Original.SourcePort}",
                    $"{new Ipv4Address(connection.Original.Destination)}:{connection.Original.DestinationPort}",
                    $"{new Ipv4Address(server.Address)}:{server.PortFor(connection.Original.DestinationPort)}"));
            }
        }

        return (total, shown);
    }

    private IReadOnlyList<ShownNeighbor> CopyNeighbors()
    {
        IEnumerable<ShownNeighbor> inner = Copy(_members.First.Device.Name, _members.First.Namespace.Neighbors);
        return _members.First.Network is { } network ? [.. inner, .. Copy("underlay", network.Uplink.Neighbors)] : [.. inner];

        static IEnumerable<ShownNeighbor> Copy(string where, NeighborTable table) => table.Entries.Select(entry => new ShownNeighbor(
            where, new Ipv4Address(entry.Key).ToString(), entry.Value.ToString(),
            (table.Aging?.StateOf(entry.Key) ?? NeighborReachability.Permanent).ToString().ToUpperInvariant()));
    }
}
