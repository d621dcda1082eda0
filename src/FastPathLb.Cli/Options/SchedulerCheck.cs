using FastPathLb.Balancer.Ipvs.Scheduling;
using FastPathLb.NodeState;
using NodeDump = FastPathLb.NodeState.NodeState;

namespace FastPathLb.Cli.Options;

/// <summary>Schedulers that are not known, found before anything runs: where they stand is known here.</summary>
internal static class SchedulerCheck
{
    /// <summary>Checks the services of a namespace, and those that events add or change.</summary>
    /// <exception cref="UsageException">A scheduler is not known.</exception>
    public static void Check(NodeDump node, string namespaceName, IReadOnlyList<NodeEvent> events, string? eventFile)
    {
        foreach (IpvsServiceState service in node[namespaceName].IpvsServices)
        {
            Check(service, node.Origin);
        }

        foreach (NodeEvent change in events)
        {
            if (change.Command is IpvsAddService { Service: { } added })
            {
                Check(added, $"{eventFile}:{change.Line}");
            }
            else if (change.Command is IpvsEditService { Service: { } edited })
            {
                Check(edited, $"{eventFile}:{change.Line}");
            }
        }
    }

    private static void Check(IpvsServiceState service, string place)
    {
        if (!SchedulerCatalog.Contains(service.Scheduler))
        {
            string name = service.Fwmark != 0 ? $"FWM {service.Fwmark}" : $"{service.Protocol} {service.Address}:{service.Port}";
            throw new UsageException(
                $"{place}: service {name}: one of the schedulers {string.Join(' ', SchedulerCatalog.Names)} "
                + $"is expected, found '{service.Scheduler}'");
        }
    }
}
