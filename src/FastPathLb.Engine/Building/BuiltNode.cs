using FastPathLb.Balancer.Node;
using FastPathLb.Balancer.Stack;
using FastPathLb.Conntrack;

namespace FastPathLb.Engine.Building;

/// <summary>A whole node, with what it was made of.</summary>
/// <param name="Node">The node.</param>
/// <param name="Tables">Its namespaces' connections.</param>
/// <param name="Overlays">The networks' bridges, by the names of their namespaces in the dumps.</param>
/// <param name="Warnings">What of the state is not emulated, one sentence each.</param>
public sealed record BuiltNode(
    SwarmNode Node, IReadOnlyList<ConnectionTable> Tables, IReadOnlyDictionary<string, NodeBridge> Overlays,
    IReadOnlyList<string> Warnings) : IDisposable
{
    /// <summary>The namespace of a name, or null.</summary>
    public NetworkNamespace? Find(string name) => Node.Spaces.FirstOrDefault(space => space.Name == name);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (ConnectionTable table in Tables)
        {
            table.Dispose();
        }
    }
}
