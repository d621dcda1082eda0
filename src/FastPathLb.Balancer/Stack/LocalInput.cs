using FastPathLb.Balancer.Netfilter;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Stack;

/// <summary>
/// Packets for the namespace's own addresses, virtual ones included: mangle and filter INPUT, IPVS, nat INPUT, then the
/// namespace's own stack. The order is netfilter's: ip_vs_out at 98, ip_vs_in at 99, nat at 100.
/// </summary>
internal sealed class LocalInput
{
    private readonly NetworkNamespace _space;

    public LocalInput(NetworkNamespace space) => _space = space;

    public Outcome Receive(Packet packet)
    {
        if (!_space.Mangle.TryPass(HookPoint.LocalIn, packet, _space, out _))
        {
            return Outcome.Dropped(DropReason.FilterRule);
        }

        if (!_space.Filter.TryPass(HookPoint.LocalIn, packet, _space, out PacketRule? rule))
        {
            return Refuse(packet, rule);
        }

        if (_space.Ipvs.IsActive)
        {
            if (_space.Ipvs.Output.Process(packet, HookPoint.LocalIn) is { } handledReply)
            {
                return handledReply;
            }

            if (_space.Ipvs.Input.Process(packet) is { } handled)
            {
                return handled;
            }
        }

        DropReason dropped = _space.Translator.Translate(packet, HookPoint.LocalIn);
        if (dropped == DropReason.None)
        {
            dropped = _space.Tracker.Confirm(packet);
        }

        return dropped != DropReason.None ? Outcome.Dropped(dropped) : _space.LocalStack.Receive(packet);
    }

    internal Outcome Refuse(Packet packet, PacketRule? rule)
    {
        if (rule?.Target == RuleTarget.Reject)
        {
            _space.IcmpErrors.Send(packet, IcmpType.DestinationUnreachable, Icmp.PortUnreachable, 0);
            return Outcome.Answered(DropReason.FilterRule);
        }

        return Outcome.Dropped(DropReason.FilterRule);
    }
}
