using FastPathLb.Balancer.Stack;

namespace FastPathLb.Balancer.Node;

/// <summary>What a port of a node is.</summary>
public enum NodePortKind
{
    /// <summary>The node's own card.</summary>
    Uplink,

    /// <summary>A task's end at a bridge: frames for it leave, frames from it come in.</summary>
    Task,

    /// <summary>A namespace's device, where what passes can be looked at.</summary>
    Tap,
}

/// <summary>A place at which frames enter or leave a node, or are looked at.</summary>
/// <param name="Name">Name, for captures.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Mac">Hardware address of what is there.</param>
/// <param name="Bridge">The bridge that it is plugged into; null for the card.</param>
/// <param name="Space">The namespace whose device it is; null for the card and tasks.</param>
public sealed record NodePort(string Name, NodePortKind Kind, Wire.MacAddress Mac, NodeBridge? Bridge, NetworkNamespace? Space);
