using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.TestKit;

/// <summary>What became of a frame.</summary>
/// <param name="Verdict">Verdict.</param>
/// <param name="Reason">Why it went no further.</param>
/// <param name="Connection">The connection that decided, or -1.</param>
/// <param name="Frames">What was sent because of it.</param>
public sealed record Sent(Verdict Verdict, DropReason Reason, int Connection, IReadOnlyList<byte[]> Frames)
{
    /// <summary>The one frame that was sent.</summary>
    public byte[] Frame => Frames.Count == 1
        ? Frames[0]
        : throw new InvalidOperationException($"{Frames.Count} frames were sent ({Verdict}, {Reason})");

    /// <summary>IPv4 destination of the one frame that was sent, at the overlay: the server's address, or the client's.</summary>
    public string Destination => Ipv4Address.Read(Frame.AsSpan(30)).ToString();
}
