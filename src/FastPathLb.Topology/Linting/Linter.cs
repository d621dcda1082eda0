using FastPathLb.Io.Captures;
using FastPathLb.NodeState;

namespace FastPathLb.Topology;

/// <summary>Looks for what breaks virtual addresses in practice. Begin here; each check is a class in <c>Checks/</c>.</summary>
public static class Linter
{
    /// <summary>All checks, those of dumps before those of captures.</summary>
    public static IReadOnlyList<LintCheck> Checks { get; } =
    [
        new TaskWithoutForwarding(), new TaskAtOtherNode(), new TaskWithoutNeighbor(),
        new VipWithoutAddress(), new VipWithoutMark(), new MarkWithoutService(), new ServiceWithoutMark(), new SharedMark(),
        new ServiceWithoutServers(), new WeightZero(), new ServerWithoutTask(), new TaskWithoutServer(),
        new ForwardingMethodWrong(), new ForwardingOff(), new ConntrackOff(), new SourceNatMissing(), new ReuseModeOn(), new ExpireNoDestinationOff(),
        new MtuAboveUnderlay(), new MtuDiffers(), new DeviceDown(),
        new DuplicateAddress(), new DuplicateMac(), new SubnetOverlap(), new VniMismatch(),
        new PortWithoutHostRule(), new PortWithoutMark(), new PortToOtherAddress(), new PortNotAccepted(), new SandboxWithoutDefaultRoute(),
        new NodeDown(),
        new VipAnsweredElsewhere(), new AddressClaimedTwice(), new VipOnUnderlay(), new OuterFragments(), new UnknownVni(),
        new TunnelOneWay(), new InnerChecksums(), new IdleConnection(), new HalfClosedConnection(), new CallsUnanswered(),
    ];

    /// <summary>Looks at a node's files.</summary>
    /// <param name="folder">Folder of dumps.</param>
    /// <param name="prefix">What the names of the node's files begin with.</param>
    /// <param name="capture">A capture taken there, or null.</param>
    /// <exception cref="NodeStateException">A file cannot be what it should be.</exception>
    public static IReadOnlyList<LintFinding> Run(string folder, string prefix, CaptureReader? capture)
    {
        NodeState.NodeState node = NodeDumpReader.Read(folder, prefix);
        int[] ports =
        [
            .. node.Namespaces.Values.SelectMany(space => space.Interfaces)
                .Select(device => device.Vxlan?.DestinationPort ?? VxlanState.DefaultPort).Append(VxlanState.DefaultPort).Distinct(),
        ];
        CaptureCensus? census = capture is null ? null : CaptureCensus.Take(capture, ports);
        LintSubject subject = new(node, folder, prefix, census);
        return [.. Checks.SelectMany(check => check.Find(subject))];
    }
}
