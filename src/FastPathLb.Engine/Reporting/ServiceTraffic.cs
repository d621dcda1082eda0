using FastPathLb.Balancer.Ipvs;
using FastPathLb.Balancer.Netfilter;
using FastPathLb.Balancer.Stack;
using FastPathLb.Engine.Tables;
using FastPathLb.NodeState;
using FastPathLb.Wire;
using NodeDump = FastPathLb.NodeState.NodeState;

namespace FastPathLb.Engine.Reporting;

/// <summary>A virtual service with its traffic, for people.</summary>
/// <param name="Service">The service, as <c>ipvsadm</c> shows it: <c>FWM  273</c>.</param>
/// <param name="Address">The virtual address that the mark is for, or the service's own; null where no rule tells it.</param>
/// <param name="Name">Docker's name for it, where its inspects are there.</param>
/// <param name="Scheduler">The scheduler.</param>
/// <param name="Counters">Connections, packets and bytes.</param>
/// <param name="Servers">Its real servers, in the order of their addresses.</param>
public sealed record ServiceTraffic(
    string Service, Ipv4Address? Address, string? Name, string Scheduler, IpvsCounters Counters, IReadOnlyList<ServerTraffic> Servers)
{
    /// <summary>The services of a namespace as they stand, in the order of <c>ipvsadm</c>.</summary>
    /// <param name="space">The namespace.</param>
    /// <param name="node">Whose Docker inspects name services.</param>
    public static IReadOnlyList<ServiceTraffic> Of(NetworkNamespace space, NodeDump node)
    {
        Dictionary<Ipv4Address, string> names = NamesOf(node.Docker);
        List<ServiceTraffic> found = [];
        foreach (VirtualService service in IpvsadmTables.Sorted(space.Ipvs))
        {
            Ipv4Address? address = service.Key.Fwmark == 0
                ? new Ipv4Address(service.Key.Address)
                : AddressOf(space.Mangle, service.Key.Fwmark);
            found.Add(new ServiceTraffic(
                IpvsadmTables.NameOf(service.Key), address, address is { } known ? names.GetValueOrDefault(known) : null,
                service.SchedulerName, service.Counters,
                IpvsadmTables.Sorted(service).ConvertAll(Describe)));
        }

        return found;
    }

    private static ServerTraffic Describe(RealServer server) => new(
        $"{new Ipv4Address(server.Address)}:{server.Port}", server.Weight, server.ActiveConnections, server.InactiveConnections,
        server.Counters);

    // The rules as they stand: an event may have given a service another mark.
    private static Ipv4Address? AddressOf(RuleTable mangle, uint fwmark)
    {
        foreach (RuleChain chain in mangle.Chains.Values)
        {
            foreach (PacketRule rule in chain.Rules)
            {
                if (rule.Target == Balancer.Netfilter.RuleTarget.Mark && rule.MarkValue == fwmark
                    && rule is { Destination.Length: Ipv4Prefix.LengthMax, IsDestinationNegated: false })
                {
                    return rule.Destination.Address;
                }
            }
        }

        return null;
    }

    private static Dictionary<Ipv4Address, string> NamesOf(DockerState docker)
    {
        Dictionary<Ipv4Address, string> names = [];
        foreach (DockerService service in docker.Services)
        {
            foreach (DockerVirtualAddress address in service.VirtualAddresses)
            {
                names[address.Address] = service.Name;
            }
        }

        foreach (DockerNetwork network in docker.Networks)
        {
            foreach (DockerNetworkService service in network.Services)
            {
                if (service.VirtualAddress is { } address && service.Name.Length > 0)
                {
                    names.TryAdd(address, service.Name);
                }
            }
        }

        return names;
    }
}
