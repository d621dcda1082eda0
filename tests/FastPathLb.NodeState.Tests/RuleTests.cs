using FastPathLb.Wire;

namespace FastPathLb.NodeState.Tests;

public sealed class RuleTests
{
    [Theory]
    [InlineData("--set-xmark 0x104/0xffffffff", 0x104, 0xFFFFFFFF)]
    [InlineData("--set-mark 0x104", 0x104, 0xFFFFFFFF)]
    [InlineData("--set-mark 0x4/0x3", 0x4, 0x7)]
    [InlineData("--or-mark 0x10", 0x10, 0x10)]
    [InlineData("--and-mark 0xff", 0, 0xFFFFFF00)]
    [InlineData("--xor-mark 0x10", 0x10, 0)]
    [InlineData("--set-xmark 260", 260, 0xFFFFFFFF)]
    public void All_ways_to_set_a_mark_come_down_to_one(string option, uint value, uint mask)
    {
        RuleState rule = Rule($"-d 10.0.1.2/32 -j MARK {option}");

        Assert.Equal(new MarkAction(value, mask), rule.MarkAction);
        Assert.Equal(RuleTarget.Mark, rule.TargetKind);
    }

    [Theory]
    [InlineData("--or-mark 0x10", 0x3, 0x13)]
    [InlineData("--and-mark 0x1", 0x3, 0x1)]
    [InlineData("--xor-mark 0x1", 0x3, 0x2)]
    [InlineData("--set-mark 0x4/0x1", 0x3, 0x6)]
    public void A_mark_is_changed_as_the_kernel_does(string option, uint before, uint after) =>
        Assert.Equal(after, Rule($"-j MARK {option}").MarkAction!.Apply(before));

    [Fact]
    public void Every_match_that_is_understood_is_read()
    {
        RuleState rule = Rule(
            "! -s 10.0.0.0/255.255.0.0 -d 10.0.1.2 -i eth+ ! -o lo -p tcp -m tcp --sport 1024: ! --dport 80:90 --tcp-flags FIN,SYN,RST,ACK SYN "
            + "-m ipvs ! --ipvs -m conntrack ! --ctstate INVALID,NEW -m addrtype --src-type LOCAL ! --dst-type BROADCAST,MULTICAST "
            + "-m mark ! --mark 0x1/0xf -m comment --comment \"two words\" -g OTHER");

        Assert.Equal(new PrefixMatch(Ipv4Prefix.Parse("10.0.0.0/16"), true), rule.Source);
        Assert.Equal("10.0.1.2/32", rule.Destination!.Prefix.ToString());
        Assert.True(rule.InInterface!.Accepts("eth7") && !rule.InInterface.Accepts("lo"));
        Assert.True(!rule.OutInterface!.Accepts("lo") && rule.OutInterface.Accepts("eth0"));
        Assert.Equal(IpProtocol.Tcp, rule.Protocol!.Protocol);
        Assert.Equal(new PortRange(1024, 65535), rule.SourcePorts!.Ranges[0]);
        Assert.True(!rule.DestinationPorts!.Accepts(85) && rule.DestinationPorts.Accepts(79));
        Assert.Equal(new TcpFlagsMatch(0x17, 0x02, false), rule.TcpFlags);
        Assert.False(rule.IpvsMatch);
        Assert.Equal(new ConntrackMatch(ConntrackStates.Invalid | ConntrackStates.New, true), rule.ConntrackStates);
        Assert.Equal(new AddressTypeMatch(["LOCAL"], false), rule.SourceType);
        Assert.Equal(new AddressTypeMatch(["BROADCAST", "MULTICAST"], true), rule.DestinationType);
        Assert.True(!rule.Mark!.Accepts(0x11) && rule.Mark.Accepts(0x12));
        Assert.Equal("two words", rule.Comment);
        Assert.True(rule is { Target: "OTHER", IsGoto: true, TargetKind: RuleTarget.Chain });
        Assert.Empty(rule.Unsupported);
        Assert.True(rule.IsSameRuleAs(Rule(rule.Text)));
    }

    [Fact]
    public void Several_ports_and_old_spellings_are_read()
    {
        RuleState rule = Rule("-s ! 10.0.0.1 -p 17 -m multiport --dports 53,80,1000:2000 -j DROP");

        Assert.True(rule.Source!.IsNegated);
        Assert.Equal(IpProtocol.Udp, rule.Protocol!.Protocol);
        Assert.Equal([new PortRange(53, 53), new PortRange(80, 80), new PortRange(1000, 2000)], rule.DestinationPorts!.Ranges);
        Assert.NotNull(Rule("-p udp -m multiport --ports 53 -j ACCEPT").EitherPorts);
        Assert.Equal(new TcpFlagsMatch(0x17, 0x02, true), Rule("-p tcp ! --syn -m state --state NEW -j DROP").TcpFlags);
        Assert.Equal(new IcmpTypeMatch(3, 4, false), Rule("-p icmp -m icmp --icmp-type 3/4 -j ACCEPT").IcmpType);
        Assert.False(Rule("! -f -j ACCEPT").FragmentMatch);
        Assert.Null(Rule("-p all -s 0.0.0.0/0 -j ACCEPT").Source);
    }

    [Fact]
    public void What_is_not_understood_is_kept_word_for_word()
    {
        RuleState rule = Rule("-p tcp -m tcp --dport 80 --tcp-option 8 -m policy --dir in --pol none -m connmark ! --mark 0x1/0x1 -j ACCEPT");

        Assert.Equal(["--tcp-option 8", "-m policy --dir in --pol none", "-m connmark ! --mark 0x1/0x1"], rule.Unsupported);
        Assert.Null(rule.Mark);
        Assert.True(Rule("-j LOG --log-prefix \"a b\"") is { TargetKind: RuleTarget.Extension, TargetOptions: "--log-prefix \"a b\"" });
        Assert.Equal(["-d 10.0.0.1/255.0.255.0"], Rule("-d 10.0.0.1/255.0.255.0 -j DROP").Unsupported);
    }

    [Fact]
    public void Nat_targets_are_read()
    {
        NatAction action = Rule("-j SNAT --to-source 10.0.0.1-10.0.0.9:1024-2048 --random-fully --persistent").NatAction!;
        Assert.Equal(
            ("10.0.0.1", "10.0.0.9", new PortRange(1024, 2048)),
            (action.FirstAddress.ToString(), action.LastAddress.ToString(), action.Ports!.Value));
        Assert.True(action is { IsRandom: true, IsPersistent: true });
        Assert.Equal(new PortRange(80, 80), Rule("-p tcp -j REDIRECT --to-ports 80").NatAction!.Ports);
        Assert.Equal(NatAction.Any, Rule("-j MASQUERADE").NatAction);
        Assert.Equal("10.0.0.5", Rule("-j DNAT --to-destination 10.0.0.5:80").NatAction!.FirstAddress.ToString());
        Assert.Equal("tcp-reset", Rule("-p tcp -j REJECT --reject-with tcp-reset").RejectWith);
        Assert.Equal(RuleTarget.None, Rule("-d 10.0.0.1").TargetKind);
    }

    [Fact]
    public void A_rule_is_the_same_whatever_its_spelling()
    {
        RuleState saved = Rule("-d 10.0.1.2/32 -j MARK --set-xmark 0x104/0xffffffff");

        Assert.True(saved.IsSameRuleAs(Rule("-j MARK -d 10.0.1.2 --set-mark 260")));
        Assert.False(saved.IsSameRuleAs(Rule("-d 10.0.1.2 -j MARK --set-mark 261")));
        Assert.False(saved.IsSameRuleAs(Rule("-d 10.0.1.2 -p tcp -j MARK --set-mark 260")));
    }

    [Fact]
    public void Chains_keep_policies_and_counters_and_targets_are_looked_up()
    {
        const string Text =
            """
            # Generated by iptables-save v1.8.9 (nf_tables)
            *filter
            :INPUT DROP [12:3456]
            :MINE - [0:0]
            -A INPUT -j MINE
            [7:89] -A INPUT -j UNKNOWNTARGET
            -A MINE -j RETURN
            COMMIT
            """;

        IptablesState state = IptablesSaveReader.Parse(Text, "i.txt");

        ChainState input = state.Filter.FindChain("INPUT")!;
        Assert.Equal(("DROP", 12, 3456), (input.Policy, input.Packets, input.Bytes));
        Assert.Equal([RuleTarget.Chain, RuleTarget.Extension], input.Rules.Select(rule => rule.TargetKind));
        Assert.Equal((7, 89), (input.Rules[1].Packets, input.Rules[1].Bytes));
        Assert.False(state.Filter.FindChain("MINE")!.IsBuiltIn);
        Assert.Empty(state.Mangle.Chains);
    }

    private static RuleState Rule(string text) =>
        Assert.IsType<IptablesAppend>(NodeCommandReader.Parse($"iptables -t mangle -A X {text}")).Rule;
}
