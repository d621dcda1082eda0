using FastPathLb.NodeState;
using FastPathLb.Wire;

namespace FastPathLb.Engine.Reporting;

/// <summary>An address that a mangle rule marks for an IPVS service.</summary>
/// <param name="Fwmark">The mark.</param>
/// <param name="Address">The address.</param>
public readonly record struct MarkedAddress(uint Fwmark, Ipv4Address Address)
{
    /// <summary>Those of a namespace: rules with one destination address that set a mark.</summary>
    public static IReadOnlyList<MarkedAddress> Of(NamespaceState space)
    {
        List<MarkedAddress> found = [];
        foreach (ChainState chain in space.Iptables.Mangle.Chains)
        {
            foreach (RuleState rule in chain.Rules)
            {
                if (rule is { MarkAction: { } action, Destination: { IsNegated: false, Prefix.Length: Ipv4Prefix.LengthMax } destination })
                {
                    found.Add(new MarkedAddress(action.Apply(0), destination.Prefix.Address));
                }
            }
        }

        return found;
    }
}
