using FastPathLb.Balancer.Netfilter;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Stack;

/// <summary>Packets on their way through (ip_forward): replies of real servers above all.</summary>
internal sealed class Ipv4Forward
{
    private readonly NetworkNamespace _space;

    public Ipv4Forward(NetworkNamespace space) => _space = space;

    public Outcome Receive(Packet packet)
    {
        if (packet.Cast != PacketCast.Host)
        {
            return Outcome.Dropped(DropReason.NotUnicastToUs);
        }

        if (packet.TimeToLive <= 1)
        {
            return Outcome.Answered(
                DropReason.TimeToLiveExceeded,
                _space.IcmpErrors.Send(packet, IcmpType.TimeExceeded, Icmp.TimeToLiveExceeded, 0));
        }

        NetworkInterface output = packet.Output!;
        int mtu = _space.PathMtus.OfForwarded(packet.Destination, output, packet.Now);
        if (packet.LengthBytes > mtu && packet.IsDontFragment && !packet.IsSuperPacket)
        {
            return Outcome.Answered(
                DropReason.FragmentationNeeded,
                _space.IcmpErrors.Send(
                    packet, IcmpType.DestinationUnreachable, Icmp.FragmentationNeeded, (uint)mtu));
        }

        Ipv4.DecrementTimeToLive(packet.Bytes);
        if (ReferenceEquals(packet.Input, output) && _space.SendsRedirects)
        {
            packet.Recorder?.CountRedirect(packet.Source);
            _space.IcmpErrors.SendRedirect(packet);
        }

        if (!_space.Mangle.TryPass(HookPoint.Forward, packet, _space, out _))
        {
            return Outcome.Dropped(DropReason.FilterRule);
        }

        if (!_space.Filter.TryPass(HookPoint.Forward, packet, _space, out PacketRule? rule))
        {
            return _space.LocalInput.Refuse(packet, rule);
        }

        if (_space.Ipvs.IsActive)
        {
            if (_space.Ipvs.Input.ProcessForwardedIcmp(packet) is { } handledError)
            {
                return handledError;
            }

            if (_space.Ipvs.Output.Process(packet, HookPoint.Forward) is { } handledReply)
            {
                return handledReply;
            }
        }

        Ipv4Options.Forward(packet, _space);
        return Outcome.Of(_space.Output.PostRoute(packet));
    }
}
