using FastPathLb.Pipeline;
using FastPathLb.TestKit;

namespace FastPathLb.Balancer.Tests.Paths;

/// <summary>One frame in, what becomes of it, and the frames out.</summary>
internal sealed record PathStep
{
    private readonly List<Expected> _out = [];

    /// <summary>The frame.</summary>
    public byte[] Frame { get; init; } = [];

    /// <summary>Length on the wire where it was cut, else -1.</summary>
    public int WireLengthBytes { get; init; } = -1;

    /// <summary>Seconds that pass before it.</summary>
    public double After { get; init; }

    /// <summary>A command that is carried out instead of a frame.</summary>
    public string? Command { get; init; }

    /// <summary>Expected verdict.</summary>
    public Verdict Verdict { get; init; }

    /// <summary>Expected reason.</summary>
    public DropReason Reason { get; init; }

    /// <summary>Expected frames.</summary>
    public IReadOnlyList<Expected> Out => _out;

    /// <summary>A packet to the load balancer's interface.</summary>
    public static PathStep In(PacketBuilder packet) => new() { Frame = SmallSwarm.ToBalancer(packet).Build() };

    /// <summary>A frame as it is, or what a capture has of it.</summary>
    public static PathStep In(byte[] frame, int wireLengthBytes = -1) => new() { Frame = frame, WireLengthBytes = wireLengthBytes };

    /// <summary>What an operator types.</summary>
    public static PathStep Run(string command) => new() { Command = command };

    /// <summary>It is sent on, as this packet from the load balancer's interface.</summary>
    public PathStep Becomes(PacketBuilder packet) =>
        Ends(Verdict.Forwarded, DropReason.None).With(SmallSwarm.FromBalancer(packet));

    /// <summary>It is sent on, as this frame.</summary>
    public PathStep Becomes(byte[] frame) => Ends(Verdict.Forwarded, DropReason.None).With(frame);

    /// <summary>It is dropped.</summary>
    public PathStep Drops(DropReason reason) => Ends(Verdict.Dropped, reason);

    /// <summary>The load balancer itself answers, with a packet whose identification is its own affair.</summary>
    public PathStep Answers(DropReason reason, PacketBuilder packet) =>
        Ends(Verdict.Answered, reason).WithOwn(SmallSwarm.FromBalancer(packet));

    /// <summary>The load balancer itself answers with a frame.</summary>
    public PathStep Answers(DropReason reason, byte[] frame) => Ends(Verdict.Answered, reason).With(frame);

    /// <summary>A verdict and a reason.</summary>
    public PathStep Ends(Verdict verdict, DropReason reason) => this with { Verdict = verdict, Reason = reason };

    /// <summary>And this is sent, byte for byte.</summary>
    public PathStep With(PacketBuilder packet) => With(packet.Build());

    /// <summary>And this is sent, byte for byte.</summary>
    public PathStep With(byte[] frame)
    {
        _out.Add(new Expected(_ => frame));
        return this;
    }

    /// <summary>And this is sent, a packet of the load balancer's own: its identification is read from what was sent.</summary>
    public PathStep WithOwn(PacketBuilder packet)
    {
        const int IdentificationOffset = 18;
        _out.Add(new Expected(sent => (packet with { Identification = Read(sent, IdentificationOffset) }).Build()));
        return this;
    }

    /// <summary>And this goes into the tunnel: outer source port and identification are the load balancer's own affair.</summary>
    public PathStep WithTunneled(Envelope envelope, byte[] inner)
    {
        const int IdentificationOffset = 18;
        const int SourcePortOffset = 34;
        _out.Add(new Expected(sent => (envelope with
        {
            Identification = Read(sent, IdentificationOffset),
            Source = envelope.Source with { Port = Read(sent, SourcePortOffset) },
        }).Wrap(inner)));
        return this;
    }

    private static ushort Read(byte[]? frame, int offset) =>
        frame is null || frame.Length < offset + 2 ? (ushort)0 : (ushort)((frame[offset] << 8) | frame[offset + 1]);

    /// <summary>A frame expected, made when what was sent is known.</summary>
    internal sealed record Expected(Func<byte[]?, byte[]> Make);
}
