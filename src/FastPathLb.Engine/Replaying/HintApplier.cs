using FastPathLb.Balancer.Ipvs;
using FastPathLb.Balancer.Ipvs.Scheduling;
using FastPathLb.Balancer.Stack;
using FastPathLb.Conntrack;
using FastPathLb.Engine.Tables;
using FastPathLb.Wire;

namespace FastPathLb.Engine.Replaying;

/// <summary>Puts a load balancer into the state that a recording shows it was in, and says what it took from there.</summary>
public static class HintApplier
{
    /// <summary>Applies hints before the first frame.</summary>
    /// <returns>What was inferred, one sentence each.</returns>
    public static IReadOnlyList<string> Apply(NetworkNamespace space, RecordingHints hints, RoundRobinStart start)
    {
        List<string> notes = [];
        if (hints.Overtakers.Count > 0)
        {
            notes.Add($"{hints.Overtakers.Count} frames were overtaken by later ones of their flow between the wire and the load "
                + "balancer; their order is taken from what the recording's load balancer sent");
        }

        space.Translator.RecordedPorts = hints.SourcePorts;
        space.IcmpErrors.Recorded = hints.TakeErrors();
        space.SetTimerPhase(hints.TimerPhase ?? 0);
        Dictionary<FlowKey, Queue<ushort>> identifications = [];
        foreach ((FlowKey flow, Queue<ushort> drawn) in hints.Identifications)
        {
            identifications.Add(flow, new Queue<ushort>(drawn));
        }

        space.RecordedIdentifications = identifications;
        Adopt(space, hints, notes);
        foreach (VirtualService service in space.Ipvs.Services)
        {
            if (start == RoundRobinStart.AsListed || service.Scheduler is not RoundRobinScheduler)
            {
                continue;
            }

            List<RealServer> picks = FirstRound(space, service, hints);
            if (picks.Count > 0 && !ReferenceEquals(picks[0], service.Servers[0]))
            {
                notes.Add(SetStart(service, picks, start));
            }
        }

        return notes;
    }

    /// <summary>Puts a service's round robin to where its first connections went.</summary>
    /// <param name="service">The service, of scheduler rr; the first pick is not its first server.</param>
    /// <param name="picks">The servers in the order in which they were picked.</param>
    /// <param name="start">How that came about.</param>
    /// <returns>A sentence about it.</returns>
    internal static string SetStart(VirtualService service, IReadOnlyList<RealServer> picks, RoundRobinStart start)
    {
        string first = new Ipv4Address(picks[0].Address).ToString();
        if (start == RoundRobinStart.MidRound)
        {
            ((RoundRobinScheduler)service.Scheduler).ContinueAfter(service.Servers[IndexOf(service, picks[0]) - 1]);
            return $"round robin of {IpvsadmTables.NameOf(service.Key)} begins at {first}: that is where the recording's "
                + "first new connection went";
        }

        service.Reorder(picks);
        return $"servers of {IpvsadmTables.NameOf(service.Key)} are taken in the order in which the recording's first "
            + $"connections went, {first} first";
    }

    private static void Adopt(NetworkNamespace space, RecordingHints hints, List<string> notes)
    {
        int adopted = 0;
        foreach (MidFlow flow in hints.MidFlows)
        {
            FlowKey key = flow.Flow;
            key.Network = space.Number;
            foreach (RealServer server in space.FindServiceOf(key)?.Servers ?? [])
            {
                if (server.Address == flow.Server && server.PortFor(key.DestinationPort) == flow.ServerPort
                    && space.Ipvs.Connections.Adopt(
                        key, server, flow.TranslatedSource, flow.TranslatedPort, flow.TimestampNanoseconds))
                {
                    adopted++;
                    break;
                }
            }
        }

        if (adopted > 0)
        {
            notes.Add($"{adopted} connections are older than the recording; they were taken as established, from both of their legs");
        }
    }

    /// <summary>Whether the recording's first connections contradict a round that begins with the list as dumped.</summary>
    public static bool IsStartInQuestion(NetworkNamespace space, RecordingHints hints)
    {
        foreach (VirtualService service in space.Ipvs.Services)
        {
            if (service.Scheduler is RoundRobinScheduler
                && FirstRound(space, service, hints) is { Count: > 0 } picks && !ReferenceEquals(picks[0], service.Servers[0]))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The servers to which a service's first connections went, until one comes again.</summary>
    internal static List<RealServer> FirstRound(NetworkNamespace space, VirtualService service, RecordingHints hints)
    {
        List<RealServer> picks = [];
        foreach (ObservedPick pick in hints.Picks)
        {
            if (space.FindServiceOf(pick.Flow) != service)
            {
                continue;
            }

            RealServer? picked = null;
            foreach (RealServer server in service.Servers)
            {
                if (server.Address == pick.Server && server.PortFor(pick.Flow.DestinationPort) == pick.ServerPort)
                {
                    picked = server;
                }
            }

            if (picked is null || picks.Contains(picked))
            {
                break;
            }

            picks.Add(picked);
        }

        return picks;
    }

    private static int IndexOf(VirtualService service, RealServer server)
    {
        for (int index = 0; index < service.Servers.Count; index++)
        {
            if (ReferenceEquals(service.Servers[index], server))
            {
                return index;
            }
        }

        return -1;
    }
}
