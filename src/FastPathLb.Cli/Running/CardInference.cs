using FastPathLb.Cli.Input;
using FastPathLb.Cli.Options;
using FastPathLb.Io.Captures;
using FastPathLb.NodeState;
using FastPathLb.Wire;
using NodeDump = FastPathLb.NodeState.NodeState;

namespace FastPathLb.Cli.Running;

/// <summary>What a capture of a node's card tells of the card and its link where the host itself was not dumped.</summary>
internal static class CardInference
{
    /// <summary>Whether MACs on the card's link only stand in for unknown ones, so that they give way to what a capture shows.</summary>
    public static bool LearnsNeighbors(NodeDump state) =>
        !state["host"].Neighbors.Any(neighbor => neighbor.State != NeighborState.InferredState);

    /// <summary>Without the host's own dump the MAC of its card is what the capture shows.</summary>
    /// <param name="state">The node.</param>
    /// <param name="folder">Where its dumps are.</param>
    /// <param name="card">The capture.</param>
    public static NodeDump Complete(NodeDump state, NodeFolder folder, CaptureInput card)
    {
        NamespaceState host = state["host"];
        InterfaceState? device = host.Interfaces.FirstOrDefault(item => item is { Kind: "ether", Addresses.Count: > 0 });
        if (device is null || !card.IsFile || File.Exists(Path.Combine(folder.Path, $"{folder.Prefix}host.ip-addr.txt")))
        {
            return state;
        }

        MacAddress? found = null;
        card.Peek((in CapturedFrame frame) =>
        {
            found = FindMac(frame.Data, device.Addresses[0].Address);
            return found is null;
        });
        return found is not { } mac ? state : state with
        {
            Namespaces = new Dictionary<string, NamespaceState>(state.Namespaces, StringComparer.Ordinal)
            {
                ["host"] = host with
                {
                    Interfaces = [.. host.Interfaces.Select(item => item == device ? item with { Mac = mac } : item)],
                },
            },
        };
    }

    private static MacAddress? FindMac(ReadOnlySpan<byte> frame, Ipv4Address address) =>
        EthernetHeader.TryParse(frame, out EthernetHeader ethernet) && ethernet.EtherType == EtherType.Ipv4
            && Ipv4Header.TryParse(ethernet.Payload, out Ipv4Header packet)
            ? packet.Source == address ? ethernet.Source
            : packet.Destination == address ? ethernet.Destination
            : null
            : null;
}
