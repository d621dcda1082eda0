using FastPathLb.Balancer;
using FastPathLb.Engine.Reporting;
using FastPathLb.NodeState;
using FastPathLb.Wire;

namespace FastPathLb.Engine.Tests.Reporting;

public sealed class FrameRolesTests
{
    private const string Config =
        """
        node:
          address: 172.19.177.14/16
        overlay:
          vni: 4097
        lb:
          address: 10.0.1.5/24
        services:
          - vip: 10.0.1.2
            mark: 0x111
            scheduler: rr
            servers: [10.0.1.3, 10.0.1.4]
        """;

    private static readonly FrameRoles s_overlay = new(LbConfigReader.Parse(Config, "lb.yaml"), AttachPoint.Overlay);
    private static readonly FrameRoles s_underlay = new(LbConfigReader.Parse(Config, "lb.yaml"), AttachPoint.Underlay);

    [Theory]
    [InlineData("10.0.1.8", "10.0.1.2", FrameRole.ClientToVirtual)]
    [InlineData("10.0.1.3", "10.0.1.2", FrameRole.ClientToVirtual)]
    [InlineData("10.0.1.5", "10.0.1.4", FrameRole.BalancerToServer)]
    [InlineData("10.0.1.4", "10.0.1.5", FrameRole.ServerToBalancer)]
    [InlineData("10.0.1.2", "10.0.1.8", FrameRole.BalancerToClient)]
    [InlineData("10.0.1.5", "10.0.1.8", FrameRole.BalancerToClient)]
    [InlineData("10.0.1.8", "10.0.1.5", FrameRole.ClientToBalancer)]
    [InlineData("10.0.1.8", "10.0.1.9", FrameRole.Other)]
    public void Addresses_tell_the_role(string source, string destination, FrameRole role)
    {
        byte[] frame = Frame(source, destination);

        Assert.Equal(role, s_overlay.RoleOf(frame));
        Assert.Equal(role, s_underlay.RoleOf(InVxlan(frame)));
    }

    [Fact]
    public void Without_a_tunnel_the_underlay_is_something_else() =>
        Assert.Equal(FrameRole.Other, s_underlay.RoleOf(Frame("10.0.1.8", "10.0.1.2")));

    [Fact]
    public void Address_resolution_is_told_by_its_type()
    {
        byte[] frame = new byte[42];
        frame[12] = 0x08;
        frame[13] = 0x06;
        Assert.Equal(FrameRole.Arp, s_overlay.RoleOf(frame));
    }

    [Fact]
    public void Every_length_of_a_frame_has_a_role()
    {
        byte[] frame = InVxlan(Frame("10.0.1.8", "10.0.1.2"));
        for (int length = 0; length < frame.Length; length++)
        {
            FrameRole role = s_underlay.RoleOf(frame.AsSpan(0, length));
            Assert.True(role is FrameRole.Other or FrameRole.ClientToVirtual);
        }
    }

    private static byte[] Frame(string source, string destination)
    {
        byte[] frame = new byte[14 + 20];
        frame[12] = 0x08;
        frame[14] = 0x45;
        frame[17] = 20;
        frame[23] = 59;
        Ipv4Address.Parse(source).WriteTo(frame.AsSpan(26));
        Ipv4Address.Parse(destination).WriteTo(frame.AsSpan(30));
        return frame;
    }

    private static byte[] InVxlan(byte[] inner)
    {
        byte[] frame = new byte[50 + inner.Length];
        frame[12] = 0x08;
        frame[14] = 0x45;
        frame[17] = (byte)(frame.Length - 14);
        frame[23] = (byte)IpProtocol.Udp;
        frame[36] = 0x12;
        frame[37] = 0xb5;
        frame[39] = (byte)(frame.Length - 34);
        frame[42] = 0x08;
        frame[47] = 0x10;
        inner.CopyTo(frame, 50);
        return frame;
    }
}
