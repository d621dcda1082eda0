using FastPathLb.Balancer.Tests.Paths;
using FastPathLb.Pipeline;

namespace FastPathLb.Balancer.Tests;

/// <summary>Every reason is provoked by a test, or listed here with why it cannot be.</summary>
public sealed class DropReasonTests
{
    private static readonly Dictionary<DropReason, string> s_notReachableYet = new()
    {
        [DropReason.ReassemblyTimeout] = "when it happens there is no frame any more to give the verdict to",
        [DropReason.ConntrackReopenRefused] = "needs another processor that destroys the entry at the same time",
        [DropReason.IpvsServiceMissing] = "a marked packet without a service goes to the load balancer's own stack, which has its own reasons",
        [DropReason.SourceQuotaExceeded] = "rate limits hold back errors; the packet they are about is dropped for its own reason",
        [DropReason.FrameTooLargeForDevice] = "an MTU has at least 68 bytes, so eight bytes behind the longest header always fit",
        [DropReason.LocalChecksumWrong] = "every device that can be configured vouches for checksums",
        [DropReason.OuterEncrypted] = "of a whole node: NodeTests",
        [DropReason.DeviceUnplugged] = "of a whole node: NodeTests",
        [DropReason.BacklogFull] = "no frame causes as many as there is room for",
        [DropReason.OtherWorker] = "one worker owns every connection there is; see WorkerGroupTests",
        [DropReason.SentByLoadBalancer] = "the replay passes over own frames before they become a batch",
        [DropReason.LinkTypeUnserved] = "the replay passes over foreign link types before they become a batch",
    };

    [Fact]
    public void Every_reason_is_provoked_or_listed()
    {
        HashSet<DropReason> provoked = [.. PathTests.Reasons];
        string[] missing =
        [
            .. Enum.GetValues<DropReason>().Where(reason => !provoked.Contains(reason) && !s_notReachableYet.ContainsKey(reason))
                .Select(reason => reason.ToString()),
        ];
        string[] listedInVain =
            [.. s_notReachableYet.Keys.Where(provoked.Contains).Select(reason => reason.ToString())];

        Assert.True(missing.Length == 0, string.Join(' ', missing));
        Assert.Empty(listedInVain);
        Assert.All(s_notReachableYet.Values, why => Assert.NotEmpty(why));
    }

    [Fact]
    public void Every_reason_has_a_name_and_a_text_of_its_own()
    {
        DropReason[] reasons = Enum.GetValues<DropReason>();

        Assert.Equal(reasons.Length, reasons.Select(DropReasonText.Name).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(reasons.Length, reasons.Select(DropReasonText.Describe).Distinct(StringComparer.Ordinal).Count());
        Assert.All(reasons, reason =>
        {
            Assert.InRange((int)reason, 0, DropReasonText.CountMax - 1);
            Assert.NotEqual("unknown reason", DropReasonText.Describe(reason));
            Assert.Matches("^[a-z0-9]+(-[a-z0-9]+)*$", DropReasonText.Name(reason));
        });
        Assert.Equal("unknown", DropReasonText.Name((DropReason)127));
    }
}
