using FastPathLb.Balancer.Stack;
using FastPathLb.Pipeline;

namespace FastPathLb.Balancer.Node;

/// <summary>A namespace's device at a bridge: a veth pair, or the bridge's own device of the host.</summary>
internal sealed class DevicePort : BridgePort, ILinkOutput
{
    private readonly SwarmNode _node;
    private readonly NodeBridge _bridge;
    private readonly NetworkNamespace _space;
    private readonly NetworkInterface _device;
    private readonly int _tap;

    public DevicePort(SwarmNode node, NodeBridge bridge, NetworkNamespace space, NetworkInterface device, int tap)
    {
        _node = node;
        _bridge = bridge;
        _space = space;
        _device = device;
        _tap = tap;
        space.Connect(device, this);
    }

    /// <inheritdoc/>
    public override DropReason Deliver(FrameBatch batch, int offset, int lengthBytes, int inputIndex, long now)
    {
        _node.Tap(_tap, batch, offset, lengthBytes, inputIndex, now);
        return _node.Backlog.TryAdd(new Backlog.Entry(_space, _device, offset, lengthBytes, inputIndex, now))
            ? DropReason.None
            : DropReason.BacklogFull;
    }

    /// <inheritdoc/>
    public DropReason Transmit(FrameBatch batch, int offset, int lengthBytes, int inputIndex, long now)
    {
        _node.Tap(_tap, batch, offset, lengthBytes, inputIndex, now);
        return _bridge.Forward(this, batch, offset, lengthBytes, inputIndex, now);
    }
}
