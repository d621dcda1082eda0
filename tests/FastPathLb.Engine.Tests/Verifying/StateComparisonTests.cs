using FastPathLb.Engine.Verifying;

namespace FastPathLb.Engine.Tests.Verifying;

public sealed class StateComparisonTests : IDisposable
{
    private const string List =
        """
        IP Virtual Server version 1.2.1 (size=4096)
        Prot LocalAddress:Port Scheduler Flags
          -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
        FWM  273 rr
          -> 10.0.1.3:0                   Masq    1      0          6
          -> 10.0.1.4:0                   Masq    1      2          0
        """;

    private const string Connections =
        """
        IPVS connection entries
        pro expire state       source             virtual            destination
        TCP 01:55  TIME_WAIT   10.0.1.8:57064     10.0.1.2:80        10.0.1.4:80
        TCP 14:59  ESTABLISHED 10.0.1.9:45222     10.0.1.2:80        10.0.1.3:80
        UDP 00:02  UDP         10.0.1.9:5000      10.0.1.2:53        10.0.1.3:53
        """;

    private const string Mangle =
        """
        Chain INPUT (policy ACCEPT 90 packets, 5235 bytes)
            pkts      bytes target     prot opt in     out     source               destination
              72     4188 MARK       0    --  *      *       0.0.0.0/0            10.0.1.2             MARK set 0x111
        """;

    private readonly string _root = Directory.CreateTempSubdirectory("fastpathlb-state-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Tables_that_read_alike_are_the_same_whatever_the_widths()
    {
        Write("kernel", "ipvsadm-Ln", List);
        Write("emulator", "ipvsadm-Ln", List.Replace("  ", " ", StringComparison.Ordinal));
        Write("kernel", "ipvsadm-Lnc", Connections);
        Write("emulator", "ipvsadm-Lnc", Connections);
        Write("kernel", "mangle", Mangle);
        Write("emulator", "mangle", Mangle);

        StateVerdict verdict = Compare();

        Assert.True(verdict.IsSame);
        Assert.Equal(3 + 3 + 1, verdict.SameCount);
        Assert.Equal(["after"], verdict.Tags);
    }

    [Fact]
    public void A_row_that_differs_is_named_with_both_sides()
    {
        Write("kernel", "ipvsadm-Ln", List);
        Write("emulator", "ipvsadm-Ln", List.Replace("2          0", "1          1", StringComparison.Ordinal));

        StateDifference difference = Assert.Single(Compare().Differences);
        Assert.Equal(new StateDifference("ipvsadm-Ln", "after", "FWM 273 -> 10.0.1.4:0", "Masq 1 2 0", "Masq 1 1 1"), difference);
    }

    [Fact]
    public void Rows_that_only_one_side_has_differ()
    {
        Write("kernel", "ipvsadm-Ln", List);
        Write("emulator", "ipvsadm-Ln", List.Replace("10.0.1.4:0", "10.0.1.7:0", StringComparison.Ordinal));

        StateVerdict verdict = Compare();

        Assert.Equal(2, verdict.SameCount);
        Assert.Equal(["FWM 273 -> 10.0.1.4:0", "FWM 273 -> 10.0.1.7:0"], verdict.Differences.Select(difference => difference.Row));
        Assert.Null(verdict.Differences[0].Actual);
        Assert.Null(verdict.Differences[1].Expected);
    }

    [Theory]
    [InlineData("01:57  TIME_WAIT", true)]
    [InlineData("01:53  TIME_WAIT", true)]
    [InlineData("01:58  TIME_WAIT", false)]
    [InlineData("01:52  TIME_WAIT", false)]
    [InlineData("01:55  CLOSE    ", false)]
    public void Time_left_may_differ_by_two_seconds_and_a_state_may_not(string printed, bool isSame)
    {
        Write("kernel", "ipvsadm-Ln", List);
        Write("emulator", "ipvsadm-Ln", List);
        Write("kernel", "ipvsadm-Lnc", Connections);
        Write("emulator", "ipvsadm-Lnc", Connections.Replace("01:55  TIME_WAIT", printed, StringComparison.Ordinal));

        Assert.Equal(isSame, Compare().IsSame);
    }

    [Theory]
    [InlineData("UDP 00:02", true)]
    [InlineData("TCP 01:55", false)]
    public void An_entry_may_be_missing_when_it_has_two_seconds_to_live(string missing, bool isSame)
    {
        string without = string.Join('\n', Connections.Split('\n').Where(line => !line.StartsWith(missing, StringComparison.Ordinal)));
        Write("kernel", "ipvsadm-Ln", List);
        Write("emulator", "ipvsadm-Ln", List);
        Write("kernel", "ipvsadm-Lnc", Connections);
        Write("emulator", "ipvsadm-Lnc", without);
        Assert.Equal(isSame, Compare().IsSame);

        Write("kernel", "ipvsadm-Lnc", without);
        Write("emulator", "ipvsadm-Lnc", Connections);
        Assert.Equal(isSame, Compare().IsSame);
    }

    [Fact]
    public void Statistics_count_after_all_traffic_alone()
    {
        foreach (string tag in (string[])["at1", "after"])
        {
            Write("kernel", "ipvsadm-Ln", List, tag);
            Write("emulator", "ipvsadm-Ln", List, tag);
            Write("kernel", "ipvsadm-stats", "FWM  273    12  72  48  4188  2940", tag);
            Write("emulator", "ipvsadm-stats", "FWM  273    12  72  48  4188  2941", tag);
        }

        StateVerdict verdict = StateComparison.Compare(Folder("kernel"), Folder("emulator"), ["at1", "after"]);
        Assert.Equal("after", Assert.Single(verdict.Differences).Tag);
    }

    [Fact]
    public void Checkpoints_without_tables_of_the_kernel_and_before_all_traffic_are_passed_over()
    {
        Write("kernel", "ipvsadm-Ln", List, "before");
        Write("emulator", "ipvsadm-Ln", List, "at1");

        Assert.Empty(StateComparison.Compare(Folder("kernel"), Folder("emulator"), ["before", "at1"]).Tags);
    }

    private StateVerdict Compare() => StateComparison.Compare(Folder("kernel"), Folder("emulator"), ["after"]);

    private string Folder(string side) => Directory.CreateDirectory(Path.Combine(_root, side)).FullName;

    private void Write(string side, string table, string text, string tag = "after") =>
        File.WriteAllText(Path.Combine(Folder(side), $"{table}.{tag}.txt"), text);
}
