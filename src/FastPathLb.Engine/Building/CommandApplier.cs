using System.Collections.ObjectModel;
using FastPathLb.Balancer.Ipvs;
using FastPathLb.Balancer.Netfilter;
using FastPathLb.Balancer.Node;
using FastPathLb.Balancer.Stack;
using FastPathLb.Balancer.Tunnel;
using FastPathLb.NodeState;
using FastPathLb.Wire;

namespace FastPathLb.Engine.Building;

/// <summary>Carries out what an operator, or dockerd, does to a running load balancer.</summary>
public static class CommandApplier
{
    /// <summary>Applies a command at a moment. Between batches only.</summary>
    /// <returns>A sentence where the command had no effect, else null.</returns>
    public static string? Apply(BuiltLoadBalancer built, NodeCommand command, long now) =>
        Apply(built.Namespace, built.Network?.Fdb, command, now);

    /// <summary>Applies a command at a moment in one of a node's namespaces. Between batches only.</summary>
    /// <param name="built">The node.</param>
    /// <param name="name">The namespace's name in the dumps.</param>
    /// <param name="command">What is done.</param>
    /// <param name="now">When, nanoseconds since the Unix epoch.</param>
    /// <returns>A sentence where the command had no effect, else null.</returns>
    public static string? Apply(BuiltNode built, string name, NodeCommand command, long now) =>
        built.Find(name) is { } space ? Apply(space, null, command, now)
        : !built.Overlays.TryGetValue(name, out NodeBridge? bridge) ? $"there is no namespace {name}"
        : command switch
        {
            NeighborReplace { Neighbor.Mac: { } mac } replace => Do(() => bridge.Neighbors!.Set(replace.Neighbor.Address.Value, mac)),
            NeighborDelete delete => Do(() => bridge.Neighbors!.Remove(delete.Address.Value)),
            FdbReplace { Entry.Destination: { } vtep } replace => Do(() => bridge.Fdb!.Set(replace.Entry.Mac, vtep.Value)),
            FdbDelete delete => Do(() => bridge.Fdb!.Remove(delete.Entry.Mac)),
            _ => $"{command.GetType().Name} is not emulated in {name}",
        };

    private static string? Apply(NetworkNamespace space, ForwardingDatabase? fdb, NodeCommand command, long now) =>
        command switch
        {
            IpvsAddService or IpvsEditService or IpvsDeleteService or IpvsAddServer or IpvsEditServer or IpvsDeleteServer
                or IpvsFlush or IpvsZero or IpvsSetTimeouts => ApplyIpvs(space.Ipvs, command, now),
            IptablesAppend or IptablesInsert or IptablesReplace or IptablesDelete or IptablesFlush or IptablesZero
                or IptablesSetPolicy or IptablesNewChain or IptablesDeleteChain => ApplyIptables(space, command),
            SysctlWrite write => int.TryParse(write.Value, out int value) && SysctlBinding.Apply(space, write.Name, value)
                ? null
                : $"sysctl {write.Name} is not emulated",
            AddressAdd add => WithDevice(space, add.Device, device => space.AddAddress(
                device, new Ipv4Prefix(add.Address.Address, add.Address.PrefixLength))),
            AddressDelete delete => WithDevice(space, delete.Device, device => space.RemoveAddress(
                device, new Ipv4Prefix(delete.Address.Address, delete.Address.PrefixLength))),
            NeighborReplace { Neighbor.Mac: { } mac } replace => Do(() => space.Neighbors.Set(
                replace.Neighbor.Address.Value, mac, replace.Neighbor.IsPermanent)),
            NeighborDelete delete => Do(() => space.Neighbors.Remove(delete.Address.Value)),
            FdbReplace { Entry.Destination: { } vtep } replace => Do(() => fdb?.Set(replace.Entry.Mac, vtep.Value)),
            FdbDelete delete => Do(() => fdb?.Remove(delete.Entry.Mac)),
            RouteReplace { Route.Type: "unicast" } replace => WithDevice(space, replace.Route.Device, device => space.AddRoute(new Route(
                replace.Route.Destination, replace.Route.Via?.Value ?? 0, device, replace.Route.Source?.Value ?? 0))),
            _ => $"{command.GetType().Name} is not emulated",
        };

    private static string? Do(Action action)
    {
        action();
        return null;
    }

    private static string? WithDevice(NetworkNamespace space, string name, Action<NetworkInterface> action)
    {
        if (NamespaceBuilder.Find(space, name) is not { } device)
        {
            return $"namespace {space.Name} has no interface {name}";
        }

        action(device);
        return null;
    }

    private static string? ApplyIpvs(IpvsCore ipvs, NodeCommand command, long now)
    {
        switch (command)
        {
            case IpvsAddService add:
                NamespaceBuilder.AddService(ipvs, add.Service, ServerOrder.Listed);
                return null;
            case IpvsSetTimeouts set:
                NamespaceBuilder.SetTimeouts(ipvs, set.Timeouts);
                return null;
            case IpvsFlush:
                while (ipvs.Services.Count > 0)
                {
                    ipvs.RemoveService(ipvs.Services[0], now);
                }

                return null;
            case IpvsZero zero:
                ipvs.ClearCounters(zero.Service is { } key ? ipvs.FindService(NamespaceBuilder.KeyOf(key)) : null);
                return null;
            case IpvsEditService edit when ipvs.FindService(NamespaceBuilder.KeyOf(edit.Service.Key)) is { } service:
                IpvsCore.EditService(service, edit.Service.Scheduler, edit.Service.SchedulerFlags);
                ipvs.SetPersistence(service, edit.Service.PersistenceSeconds, edit.Service.Netmask.Value);
                IpvsCore.SetOnePacket(service, edit.Service.OnePacket);
                return null;
            case IpvsDeleteService delete when ipvs.FindService(NamespaceBuilder.KeyOf(delete.Service)) is { } service:
                ipvs.RemoveService(service, now);
                return null;
            case IpvsAddServer add when ipvs.FindService(NamespaceBuilder.KeyOf(add.Service)) is { } service:
                NamespaceBuilder.AddServer(ipvs, service, add.Server);
                return null;
            case IpvsEditServer edit when FindServer(ipvs, edit.Service, edit.Server.Address, edit.Server.Port) is { } server:
                ipvs.EditServer(
                    server, NamespaceBuilder.MethodOf(edit.Server.Forwarding), edit.Server.Weight, edit.Server.UpperThreshold,
                    edit.Server.LowerThreshold);
                return null;
            case IpvsDeleteServer delete when FindServer(ipvs, delete.Service, delete.Address, delete.Port) is { } server:
                ipvs.RemoveServer(server, now);
                return null;
            default:
                return $"{command.GetType().Name}: no such service or server";
        }
    }

    private static RealServer? FindServer(IpvsCore ipvs, IpvsKey key, Ipv4Address address, ushort port)
    {
        foreach (RealServer server in ipvs.FindService(NamespaceBuilder.KeyOf(key))?.Servers ?? [])
        {
            if (server.Address == address.Value && server.Port == port)
            {
                return server;
            }
        }

        return null;
    }

    private static string? ApplyIptables(NetworkNamespace space, NodeCommand command)
    {
        List<string> warnings = [];
        switch (command)
        {
            case IptablesAppend append when TableOf(space, append.Table) is { } table:
                table.GetOrAddChain(append.Chain).Rules.Add(RuleCompiler.Compile(append.Rule, warnings));
                break;
            case IptablesInsert insert when TableOf(space, insert.Table) is { } table:
                Collection<PacketRule> rules = table.GetOrAddChain(insert.Chain).Rules;
                rules.Insert(Math.Clamp(insert.Position - 1, 0, rules.Count), RuleCompiler.Compile(insert.Rule, warnings));
                break;
            case IptablesReplace replace when TableOf(space, replace.Table) is { } table
                && replace.Position >= 1 && replace.Position <= table.GetOrAddChain(replace.Chain).Rules.Count:
                table.GetOrAddChain(replace.Chain).Rules[replace.Position - 1] = RuleCompiler.Compile(replace.Rule, warnings);
                break;
            case IptablesDelete delete when TableOf(space, delete.Table) is { } table:
                return Delete(table.GetOrAddChain(delete.Chain), delete);
            case IptablesFlush flush when TableOf(space, flush.Table) is { } table:
                foreach (RuleChain chain in ChainsOf(table, flush.Chain))
                {
                    chain.Rules.Clear();
                }

                break;
            case IptablesZero zero when TableOf(space, zero.Table) is { } table:
                foreach (RuleChain chain in ChainsOf(table, zero.Chain))
                {
                    chain.Packets = 0;
                    chain.Bytes = 0;
                    foreach (PacketRule rule in chain.Rules)
                    {
                        rule.Packets = 0;
                        rule.Bytes = 0;
                    }
                }

                break;
            case IptablesSetPolicy policy when TableOf(space, policy.Table) is { } table:
                table.GetOrAddChain(policy.Chain).DropsByDefault = policy.Policy == "DROP";
                break;
            case IptablesNewChain chain when TableOf(space, chain.Table) is { } table:
                table.GetOrAddChain(chain.Chain);
                break;
            default:
                return $"{command.GetType().Name} is not emulated for this table";
        }

        return warnings.Count > 0 ? warnings[0] : null;
    }

    private static string? Delete(RuleChain chain, IptablesDelete delete)
    {
        int index = delete.Position is { } position ? position - 1
            : chain.Rules.Index()
                .Where(item => item.Item.State is NodeState.RuleState state && state.IsSameRuleAs(delete.Rule!))
                .Select(item => item.Index).FirstOrDefault(-1);
        if (index < 0 || index >= chain.Rules.Count)
        {
            return $"no such rule in {chain.Name}";
        }

        chain.Rules.RemoveAt(index);
        return null;
    }

    private static IEnumerable<RuleChain> ChainsOf(RuleTable table, string? name) =>
        name is null ? table.Chains.Values : table.Chains.TryGetValue(name, out RuleChain? chain) ? [chain] : [];

    private static RuleTable? TableOf(NetworkNamespace space, string name) => name switch
    {
        "mangle" => space.Mangle,
        "nat" => space.Translator.Table,
        "filter" => space.Filter,
        _ => null,
    };
}
