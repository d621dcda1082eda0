using FastPathLb.Balancer.Ipvs;
using FastPathLb.Balancer.Netfilter;
using FastPathLb.Balancer.Stack;
using FastPathLb.NodeState;
using FastPathLb.Wire;
using NodeDump = FastPathLb.NodeState.NodeState;

namespace FastPathLb.Engine.Building;

/// <summary>
/// Changes a running load balancer into the one that another state describes: services, servers, rules, addresses, routes,
/// neighbours, forwarding entries, switches. Connections stay, and so do the counters of what is in both.
/// </summary>
/// <remarks>
/// Planned on any thread, from a load balancer built of the new state, so that nothing can be wrong with that any more; applied by
/// the worker between two batches. Compared with what runs and not with the old file: what was changed by hand since is changed back.
/// Servers are added before others are removed, so that no service is without one in between; connections of removed servers end
/// as expire_nodest_conn says.
/// </remarks>
public sealed class Reconfiguration
{
    private readonly BuiltLoadBalancer _running;
    private readonly BuiltLoadBalancer _shadow;
    private readonly NodeDump _next;
    private readonly NamespaceState _space;
    private readonly List<string> _changes = [];

    private Reconfiguration(BuiltLoadBalancer running, BuiltLoadBalancer shadow, NodeDump next, string namespaceName)
    {
        _running = running;
        _shadow = shadow;
        _next = next;
        _space = next[namespaceName];
    }

    /// <summary>Whether the load balancer's own addresses change.</summary>
    public bool ChangesAddresses { get; private set; }

    /// <summary>Looks whether the change can be made.</summary>
    /// <param name="running">The load balancer that runs.</param>
    /// <param name="shadow">One built of the new state, of any capacity.</param>
    /// <param name="next">The new state.</param>
    /// <param name="options">What both were built with.</param>
    /// <exception cref="NodeStateException">It needs a restart: hardware address, MTU, VNI and VTEP are fixed.</exception>
    public static Reconfiguration Plan(
        BuiltLoadBalancer running, BuiltLoadBalancer shadow, NodeDump next, LoadBalancerOptions options)
    {
        Require(running.Device.Mac == shadow.Device.Mac, $"the load balancer's MAC {running.Device.Mac}", $"{shadow.Device.Mac}");
        Require(running.Device.MtuBytes == shadow.Device.MtuBytes, $"its MTU {running.Device.MtuBytes}", $"{shadow.Device.MtuBytes}");
        Require(
            running.Namespace.Interfaces.Count == shadow.Namespace.Interfaces.Count && running.Device.Name == shadow.Device.Name,
            $"its interface {running.Device.Name}", shadow.Device.Name);
        if (running.Network is { } network && shadow.Network is { } other)
        {
            Require(network.Vni == other.Vni, $"the VNI {network.Vni}", $"{other.Vni}");
            Require(
                network.Uplink.Address == other.Uplink.Address && network.Uplink.Mac == other.Uplink.Mac,
                $"the node's address {new Ipv4Address(network.Uplink.Address)} {network.Uplink.Mac}",
                $"{new Ipv4Address(other.Uplink.Address)} {other.Uplink.Mac}");
            Require(network.Uplink.Port == other.Uplink.Port, $"the VXLAN port {network.Uplink.Port}", $"{other.Uplink.Port}");
        }

        Reconfiguration change = new(running, shadow, next, options.NamespaceName);
        change.ChangesAddresses = !running.Device.Addresses.ToHashSet().SetEquals(shadow.Device.Addresses);
        return change;

        void Require(bool isSame, string what, string found)
        {
            if (!isSame)
            {
                throw new NodeStateException(
                    $"{next.Origin}: {what} is fixed while the load balancer runs, found {found}; restart it, or leave that as it was");
            }
        }
    }

    /// <summary>Makes the change. Between two batches, once.</summary>
    /// <param name="previous">The state before, for neighbours and forwarding entries that were configured and are not any more.</param>
    /// <param name="now">Time, nanoseconds since the Unix epoch.</param>
    /// <returns>What was changed, in a few words.</returns>
    public string Apply(NodeDump previous, long now)
    {
        _changes.Clear();
        ApplyAddresses();
        ApplyRoutes();
        ApplyNeighbors(previous);
        ApplyForwarding(previous);
        ApplyRules(_running.Namespace.Mangle, _shadow.Namespace.Mangle);
        ApplyRules(_running.Namespace.Translator.Table, _shadow.Namespace.Translator.Table);
        ApplyRules(_running.Namespace.Filter, _shadow.Namespace.Filter);
        SysctlBinding.ApplyAll(_running.Namespace, _space);
        NamespaceBuilder.SetTimeouts(_running.Namespace.Ipvs, _space.IpvsTimeouts ?? NodeState.IpvsTimeouts.Default);
        ApplyServices(now);
        return _changes.Count == 0 ? "nothing changed" : string.Join(", ", _changes);
    }

    private void ApplyAddresses()
    {
        foreach ((NetworkInterface device, NetworkInterface wanted) in _running.Namespace.Interfaces.Zip(_shadow.Namespace.Interfaces))
        {
            Ipv4Prefix[] gone = [.. device.Addresses.Except(wanted.Addresses)];
            Ipv4Prefix[] added = [.. wanted.Addresses.Except(device.Addresses)];
            foreach (Ipv4Prefix address in added)
            {
                _running.Namespace.AddAddress(device, address);
            }

            foreach (Ipv4Prefix address in gone)
            {
                _running.Namespace.RemoveAddress(device, address);
            }

            Note(added.Length, "address", "added");
            Note(gone.Length, "address", "removed");
        }
    }

    private void ApplyRoutes()
    {
        Route[] wanted = [.. _shadow.Namespace.Routes.Select(InRunning)];
        Route[] gone = [.. _running.Namespace.Routes.Except(wanted)];
        int before = _running.Namespace.Routes.Count;
        foreach (Route route in wanted)
        {
            _running.Namespace.AddRoute(route);
        }

        Note(_running.Namespace.Routes.Count - before, "route", "added");
        foreach (Route route in gone)
        {
            _running.Namespace.RemoveRoute(route);
        }

        Note(gone.Length, "route", "removed");
        if (_running.Network is { } network && _shadow.Network is { } other)
        {
            network.Uplink.Gateway = other.Uplink.Gateway;
        }
    }

    private Route InRunning(Route route) => route with { Interface = _running.Namespace.Interfaces[route.Interface.Index] };

    private void ApplyNeighbors(NodeDump previous)
    {
        ApplyNeighbors(_running.Namespace.Neighbors, _shadow.Namespace.Neighbors, Configured(previous, "lb", "overlay"));
        if (_running.Network is { } network && _shadow.Network is { } other)
        {
            ApplyNeighbors(network.Uplink.Neighbors, other.Uplink.Neighbors, Configured(previous, "host"));
        }
    }

    private static void ApplyNeighbors(NeighborTable running, NeighborTable wanted, IEnumerable<uint> configured)
    {
        foreach (uint address in configured)
        {
            if (!wanted.Entries.ContainsKey(address))
            {
                running.Remove(address);
            }
        }

        foreach ((uint address, MacAddress mac) in wanted.Entries)
        {
            running.Set(address, mac, wanted.IsPermanent(address));
        }
    }

    private static IEnumerable<uint> Configured(NodeDump node, params IEnumerable<string> names) => names
        .Where(node.Namespaces.ContainsKey)
        .SelectMany(name => node[name].Neighbors)
        .Select(neighbor => neighbor.Address.Value);

    private void ApplyForwarding(NodeDump previous)
    {
        if (_running.Network is not { } network)
        {
            return;
        }

        HashSet<MacAddress> wanted = [.. EntriesOf(_next).Select(entry => entry.Mac)];
        foreach (FdbEntryState entry in EntriesOf(previous))
        {
            if (!wanted.Contains(entry.Mac))
            {
                network.Fdb.Remove(entry.Mac);
            }
        }

        foreach (FdbEntryState entry in EntriesOf(_next))
        {
            network.Fdb.Set(entry.Mac, entry.Destination!.Value.Value);
        }
    }

    private static IEnumerable<FdbEntryState> EntriesOf(NodeDump node) =>
        node.Namespaces.TryGetValue("overlay", out NamespaceState? overlay)
            ? overlay.Fdb.Where(entry => entry.Destination is not null)
            : [];

    /// <summary>The same rules keep their counters, wherever in the chain they stand now.</summary>
    private void ApplyRules(RuleTable running, RuleTable wanted)
    {
        foreach (RuleChain chain in running.Chains.Values)
        {
            RuleChain? other = wanted.Chains.GetValueOrDefault(chain.Name);
            ApplyChain(running, chain, other?.Rules ?? [], other?.DropsByDefault ?? false);
        }

        foreach (RuleChain other in wanted.Chains.Values)
        {
            if (!running.Chains.ContainsKey(other.Name))
            {
                ApplyChain(running, running.GetOrAddChain(other.Name), other.Rules, other.DropsByDefault);
            }
        }
    }

    private void ApplyChain(RuleTable table, RuleChain chain, IReadOnlyCollection<PacketRule> wanted, bool dropsByDefault)
    {
        List<PacketRule> kept = [.. chain.Rules];
        List<PacketRule> rules = [];
        int added = 0;
        foreach (PacketRule rule in wanted)
        {
            int index = kept.FindIndex(old => IsSame(old, rule));
            if (index < 0)
            {
                rules.Add(rule);
                added++;
                continue;
            }

            rules.Add(kept[index]);
            kept.RemoveAt(index);
        }

        if (added == 0 && kept.Count == 0 && rules.SequenceEqual(chain.Rules) && chain.DropsByDefault == dropsByDefault)
        {
            return;
        }

        chain.Rules.Clear();
        foreach (PacketRule rule in rules)
        {
            chain.Rules.Add(rule);
        }

        chain.DropsByDefault = dropsByDefault;
        _changes.Add($"{table.Name} {chain.Name} now {rules.Count} {(rules.Count == 1 ? "rule" : "rules")}");
    }

    private static bool IsSame(PacketRule left, PacketRule right) =>
        left.State is RuleState first && right.State is RuleState second && first.IsSameRuleAs(second);

    private void ApplyServices(long now)
    {
        IpvsCore ipvs = _running.Namespace.Ipvs;
        HashSet<ServiceKey> wanted = [.. _space.IpvsServices.Select(service => NamespaceBuilder.KeyOf(service.Key))];
        foreach (IpvsServiceState state in _space.IpvsServices)
        {
            if (ipvs.FindService(NamespaceBuilder.KeyOf(state.Key)) is { } service)
            {
                ApplyService(ipvs, service, state, now);
            }
            else
            {
                NamespaceBuilder.AddService(ipvs, state, ServerOrder.Listed);
                Note(1, "service", "added");
            }
        }

        foreach (VirtualService service in ipvs.Services.Where(service => !wanted.Contains(service.Key)).ToArray())
        {
            ipvs.RemoveService(service, now);
            Note(1, "service", "removed");
        }
    }

    private void ApplyService(IpvsCore ipvs, VirtualService service, IpvsServiceState state, long now)
    {
        if (service.SchedulerName != state.Scheduler || !service.SchedulerFlags.SequenceEqual(state.SchedulerFlags))
        {
            IpvsCore.EditService(service, state.Scheduler, state.SchedulerFlags);
            Note(1, "scheduler", "changed");
        }

        ipvs.SetPersistence(service, state.PersistenceSeconds, state.Netmask.Value);
        IpvsCore.SetOnePacket(service, state.OnePacket);
        foreach (IpvsServerState server in state.Servers)
        {
            if (service.Servers.FirstOrDefault(known => IsSame(known, server)) is not { } known)
            {
                NamespaceBuilder.AddServer(ipvs, service, server);
                Note(1, "server", "added");
            }
            else if (known.Weight != server.Weight || known.Method != NamespaceBuilder.MethodOf(server.Forwarding)
                || known.UpperThreshold != server.UpperThreshold || known.LowerThreshold != server.LowerThreshold)
            {
                ipvs.EditServer(
                    known, NamespaceBuilder.MethodOf(server.Forwarding), server.Weight, server.UpperThreshold, server.LowerThreshold);
                Note(1, "server", "changed");
            }
        }

        foreach (RealServer gone in service.Servers.Where(known => !state.Servers.Any(server => IsSame(known, server))).ToArray())
        {
            ipvs.RemoveServer(gone, now);
            Note(1, "server", "removed");
        }
    }

    private static bool IsSame(RealServer known, IpvsServerState server) =>
        known.Address == server.Address.Value && known.Port == server.Port;

    private void Note(int count, string what, string done)
    {
        if (count > 0)
        {
            _changes.Add($"{count} {what}{(count == 1 ? "" : what.EndsWith('s') ? "es" : "s")} {done}");
        }
    }
}
