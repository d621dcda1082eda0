using FastPathLb.NodeState;
using FastPathLb.Wire;

namespace FastPathLb.Topology;

/// <summary>A tunnel of another network than Docker says, or one that two networks share.</summary>
internal sealed class VniMismatch() : LintCheck(
    "vni-mismatch",
    LintSeverity.Fault,
    "nothing passes between nodes, or two networks hear each other",
    "Remove and recreate the network once no service uses it")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        foreach (LintNetwork network in subject.Networks)
        {
            InterfaceState? tunnel = network.Bridge?.Interfaces.FirstOrDefault(device => device.Vxlan is not null);
            if (tunnel is null)
            {
                continue;
            }

            Vni vni = tunnel.Vxlan!.Vni;
            if (network.Docker is { Vnis.Count: > 0 } docker && !docker.Vnis.Contains(vni))
            {
                yield return Found(
                    $"{tunnel.Name} of {network.Bridge!.Name} has VNI {vni}, Docker says {string.Join(", ", docker.Vnis)} for network "
                        + $"{docker.Name}",
                    subject.Places.At(network.Bridge.Name, "ip-addr", "vxlan", "id"));
            }

            LintNetwork? twin = subject.Networks.TakeWhile(other => other != network)
                .FirstOrDefault(other => other.Bridge?.Interfaces.Any(device => device.Vxlan?.Vni == vni) == true);
            if (twin is not null)
            {
                yield return Found(
                    $"networks {twin.Topology.Name} and {network.Topology.Name} both have VNI {vni}",
                    subject.Places.At(network.Bridge!.Name, "ip-addr", "vxlan", "id"));
            }
        }
    }
}
