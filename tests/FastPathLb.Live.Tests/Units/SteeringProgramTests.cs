using FastPathLb.Balancer.Workers;
using FastPathLb.Engine.Building;
using FastPathLb.Live.Devices;
using FastPathLb.Live.Interop;
using FastPathLb.Live.Running;
using FastPathLb.NodeState;
using FastPathLb.TestKit;
using FastPathLb.Wire;

namespace FastPathLb.Live.Tests.Units;

/// <summary>The kernel's program sends a frame to the worker that the workers themselves would hand it to.</summary>
public sealed class SteeringProgramTests
{
    private const int Rounds = 20_000;
    private static readonly string[] s_addresses = ["10.0.1.8", "10.0.1.2", "10.0.1.7", "10.0.1.5", "10.0.1.3", "10.0.9.9", "127.0.0.1", "255.255.255.255"];

    public static TheoryData<bool, int> Kinds() => new() { { false, 2 }, { false, 3 }, { false, 16 }, { true, 2 }, { true, 5 } };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void It_chooses_as_the_workers_do_or_leaves_it_to_the_first(bool isUnderlay, int workers)
    {
        using LiveMembers members = Build(isUnderlay, workers);
        PacketFanout.FilterInstruction[] program = SteeringProgram.Compile(members);
        Random random = new(17 + workers);
        int[] decided = new int[workers];
        for (int round = 0; round < Rounds; round++)
        {
            byte[] frame = Draw(random, isUnderlay, out bool isPlain);
            int expected = members.Group!.Steering.WorkerOf(frame);
            uint chosen = FilterMachine.Run(program, frame);

            Assert.True(chosen == expected || (chosen == 0 && !isPlain), $"{Convert.ToHexString(frame)}: {chosen}, {expected} is expected");
            decided[chosen]++;
        }

        // Not by leaving everything to the first.
        Assert.All(decided, count => Assert.True(count > Rounds / workers / 4, string.Join(' ', decided)));
    }

    [Fact]
    public void With_persistence_all_frames_are_the_first_ones()
    {
        using LiveMembers members = Build(isUnderlay: false, 4, "persistence: 60, ");
        PacketFanout.FilterInstruction[] program = SteeringProgram.Compile(members);
        Assert.All(
            Enumerable.Range(1, 200),
            port => Assert.Equal(0u, FilterMachine.Run(program, SmallSwarm.ToBalancer(PacketBuilder.Udp($"10.0.1.8:{port}", "10.0.1.2:53")).Build())));
    }

    [Fact]
    public void A_change_of_addresses_changes_it_and_more_addresses_than_it_holds_are_left_to_the_workers()
    {
        using LiveMembers members = Build(isUnderlay: false, 2);
        byte[] frame = [];
        for (int port = 1; frame.Length == 0; port++)
        {
            frame = FrameSteering.WorkerOfPort((ushort)port, 2) == 1 ? SmallSwarm.ToBalancer(PacketBuilder.Udp($"10.0.1.8:{port}", "10.0.1.99:53")).Build() : [];
        }

        Assert.Equal(0u, FilterMachine.Run(SteeringProgram.Compile(members), frame));
        int renewed = 0;
        members.Changed = () => renewed++;
        members.Change((member, _) =>
        {
            member.Namespace.AddAddress(member.Device, new Ipv4Prefix(Ipv4Address.Parse("10.0.1.99"), 32));
            return null;
        });
        Assert.Equal(1, renewed);
        Assert.Equal(1u, FilterMachine.Run(SteeringProgram.Compile(members), frame));

        members.Change((member, _) =>
        {
            for (uint number = 0; number < 3000; number++)
            {
                member.Namespace.AddAddress(member.Device, new Ipv4Prefix(new Ipv4Address(0x0A630000 + number), 32));
            }

            return null;
        });
        PacketFanout.FilterInstruction[] program = SteeringProgram.Compile(members);
        Assert.InRange(program.Length, 3000, 4096);
        Assert.Equal(1u, FilterMachine.Run(program, frame));
    }

    private static LiveMembers Build(bool isUnderlay, int workers, string more = "") => LiveBuilder.Build(
        LbConfigReader.Parse(
            $$"""
            node: { address: 172.19.0.5/24, mtu: 1500 }
            overlay: { vni: 4097, proxy: false }
            vteps: [{ address: 172.19.0.8, endpoints: [10.0.1.8] }]
            lb: { address: 10.0.1.5/24 }
            services:
              - { vip: 10.0.1.2, {{more}}servers: [10.0.1.3, 10.0.1.4] }
              - { vip: 10.0.1.7, servers: [10.0.1.3] }
            """,
            "test.yaml"),
        new LoadBalancerOptions
        {
            AttachPoint = isUnderlay ? Balancer.AttachPoint.Underlay : Balancer.AttachPoint.Overlay,
            Capacity = 1024,
        },
        workers);

    // Plain is what the program must decide: a whole datagram or segment for one of the namespace's own addresses.
    private static byte[] Draw(Random random, bool isUnderlay, out bool isPlain)
    {
        string destination = s_addresses[random.Next(s_addresses.Length)];
        string from = $"{s_addresses[random.Next(s_addresses.Length)]}:{random.Next(1, 65536)}";
        string to = $"{destination}:{random.Next(1, 65536)}";
        int kind = random.Next(20);
        PacketBuilder packet = kind switch
        {
            0 => PacketBuilder.Icmp(from, to, IcmpType.Echo, 0, (uint)random.Next()),
            1 => PacketBuilder.Other(from, to, (IpProtocol)50, new byte[30]),
            2 => PacketBuilder.Udp(from, to, new byte[64]) with { MoreFragments = true, DontFragment = false },
            3 => PacketBuilder.Udp(from, to, new byte[64]) with { FragmentOffsetBytes = 64, DontFragment = false },
            4 => PacketBuilder.Tcp(from, to, TcpFlags.Syn) with { Ipv4Options = new byte[4 * random.Next(1, 11)] },
            < 12 => PacketBuilder.Udp(from, to, new byte[random.Next(0, 100)]),
            _ => PacketBuilder.Tcp(from, to, TcpFlags.Ack),
        };
        byte[] frame = SmallSwarm.ToBalancer(packet).Build();
        isPlain = kind >= 4 && destination is "10.0.1.2" or "10.0.1.7" or "10.0.1.5";
        if (isUnderlay)
        {
            ushort port = (ushort)(random.Next(10) == 0 ? 4790 : 4789);
            byte[] tunnelled = [8, 0, 0, 0, 0, 0x10, 1, 0, .. frame];
            frame = SmallSwarm.ToBalancer(PacketBuilder.Udp($"172.19.0.8:{random.Next(32768, 61000)}", $"172.19.0.5:{port}", tunnelled)).Build();
            isPlain &= port == 4789;
        }

        if (random.Next(30) == 0)
        {
            // Cut in the header, or of another kind.
            isPlain = false;
            frame = random.Next(2) == 0 ? frame[..random.Next(14, 34)] : [.. frame[..12], 0x08, 0x06, .. frame[14..]];
        }

        return frame;
    }
}
