using FastPathLb.Balancer;
using FastPathLb.Cli.Input;
using FastPathLb.Engine.Building;
using FastPathLb.Engine.Reporting;
using FastPathLb.Io.Captures;
using FastPathLb.NodeState;
using FastPathLb.Wire;
using NodeDump = FastPathLb.NodeState.NodeState;

namespace FastPathLb.Cli.Options;

/// <summary>Tells where a capture was taken from the name of its file, else from its first frames.</summary>
internal static class AttachInference
{
    private const int FramesMax = 256;

    /// <summary>The attach point, and why, in a sentence.</summary>
    public static (AttachPoint AttachPoint, string Reason) Infer(CaptureInput input, string path, NodeDump node)
    {
        string name = Path.GetFileName(path);
        if (name.StartsWith("lb-eth0", StringComparison.OrdinalIgnoreCase)
            || name.StartsWith("overlay", StringComparison.OrdinalIgnoreCase))
        {
            return (AttachPoint.Overlay, Sentence(AttachPoint.Overlay, "by the file's name"));
        }

        if (name.StartsWith("underlay", StringComparison.OrdinalIgnoreCase))
        {
            return (AttachPoint.Underlay, Sentence(AttachPoint.Underlay, "by the file's name"));
        }

        (AttachPoint? found, int frames) = Look(input, node);
        return found is { } point
            ? (point, Sentence(point, frames == 1 ? "by its first frame" : $"by its frame {frames}"))
            : (AttachPoint.Underlay, Sentence(AttachPoint.Underlay, $"for want of a frame that tells, among the first {frames}"));
    }

    private static string Sentence(AttachPoint point, string reason) =>
        $"The capture is taken to be from the {(point == AttachPoint.Underlay ? Words.Underlay : Words.Overlay)}, {reason} "
        + "(--attach says otherwise).";

    /// <summary>The first frame that tells: a VXLAN packet of the node, or a plain packet of the load balancer's addresses.</summary>
    private static (AttachPoint? Found, int Frames) Look(CaptureInput input, NodeDump node)
    {
        HashSet<Ipv4Address> underlay = AddressesOf(node, "host");
        HashSet<Ipv4Address> overlay = AddressesOf(node, new LoadBalancerOptions().NamespaceName);
        ushort port = FrameRoles.VxlanPortOf(node);
        byte[] room = new byte[4096];
        AttachPoint? found = null;
        int frames = 0;
        input.Peek((in CapturedFrame captured) =>
        {
            frames++;
            int length = LinkLayer.ToEthernet(captured.LinkType, Cut(captured.Data, room), room.AsSpan());
            found = Judge(room.AsSpan(0, length), port, underlay, overlay);
            return found is null && frames < FramesMax;
        });
        return (found, frames);
    }

    // Headers tell; the rest of a long frame does not matter.
    private static ReadOnlySpan<byte> Cut(ReadOnlySpan<byte> frame, byte[] room) =>
        frame[..Math.Min(frame.Length, room.Length - LinkLayer.EthernetGrowthBytesMax)];

    private static AttachPoint? Judge(
        ReadOnlySpan<byte> frame, ushort vxlanPort, HashSet<Ipv4Address> underlay, HashSet<Ipv4Address> overlay)
    {
        if (!EthernetHeader.TryParse(frame, out EthernetHeader ethernet))
        {
            return null;
        }

        if (ethernet.EtherType == EtherType.Arp && ArpHeader.TryParse(ethernet.Payload, out ArpHeader arp))
        {
            return Judge(arp.SenderAddress, arp.TargetAddress, underlay, overlay);
        }

        if (ethernet.EtherType != EtherType.Ipv4 || !Ipv4Header.TryParse(ethernet.Payload, out Ipv4Header ipv4))
        {
            return null;
        }

        // A VXLAN packet is the underlay's, whoever's it is: Swarm carries no tunnel in its overlays.
        return FrameRoles.InnerFrame(frame, vxlanPort).IsEmpty
            ? Judge(ipv4.Source, ipv4.Destination, underlay, overlay)
            : AttachPoint.Underlay;
    }

    private static AttachPoint? Judge(
        Ipv4Address source, Ipv4Address destination, HashSet<Ipv4Address> underlay, HashSet<Ipv4Address> overlay) =>
        overlay.Contains(source) || overlay.Contains(destination) ? AttachPoint.Overlay
        : underlay.Contains(source) || underlay.Contains(destination) ? AttachPoint.Underlay
        : null;

    private static HashSet<Ipv4Address> AddressesOf(NodeDump node, string name)
    {
        HashSet<Ipv4Address> addresses = [];
        if (node.Namespaces.TryGetValue(name, out NamespaceState? space))
        {
            foreach (InterfaceState device in space.Interfaces)
            {
                foreach (InterfaceAddress address in device.Addresses)
                {
                    if (!address.Address.IsLoopback)
                    {
                        addresses.Add(address.Address);
                    }
                }
            }
        }

        return addresses;
    }
}
