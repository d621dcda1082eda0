using System.Buffers.Binary;
using FastPathLb.Balancer.Tests.Paths;
using FastPathLb.TestKit;

namespace FastPathLb.Balancer.Tests;

/// <summary>Frames of which a capture has the beginning alone.</summary>
public sealed class CutFrameTests
{
    [Fact]
    public void The_tunnel_says_how_long_a_frame_was_that_the_capture_cut()
    {
        const int WireBytes = 204;
        using TestBalancer balancer = new(new SmallSwarm { AttachPoint = AttachPoint.Underlay });
        byte[] frame = SmallSwarm.FromNode2.Wrap(SmallSwarm.ToBalancer(Traffic.Syn with { Payload = Traffic.Bytes(100) }).Build());
        Assert.Equal(WireBytes, frame.Length);

        byte[] sent = balancer.Send(frame[..120], WireBytes).Frame;

        Assert.Equal(120, sent.Length);
        Assert.Equal(WireBytes - 14, BinaryPrimitives.ReadUInt16BigEndian(sent.AsSpan(16)));
        Assert.Equal(WireBytes - 34, BinaryPrimitives.ReadUInt16BigEndian(sent.AsSpan(38)));
    }
}
