using FastPathLb.Balancer;
using FastPathLb.Balancer.Stack;
using FastPathLb.Conntrack;
using FastPathLb.Io.Captures;

namespace FastPathLb.Engine.Replaying;

/// <summary>
/// What a recording of both directions tells that a node's dumps cannot: in which order frames reached the load balancer (those of
/// one flow that come in on several processors can overtake one another between the wire and its interface), which server a
/// service's first new connection went to, and which source ports the kernel drew. What went in is matched with what came out by
/// the parts of a packet that translation leaves alone.
/// </summary>
public sealed class RecordingHints
{
    /// <summary>Largest capture that is looked through before it is replayed, in bytes.</summary>
    public const long CaptureBytesMax = 256L * 1024 * 1024;

    private const int EnvelopeBytes = 50;

    internal RecordingHints()
    {
    }

    /// <summary>Nothing is known: the order in which the capture has the frames, and the defaults.</summary>
    public static RecordingHints None { get; } = new();

    /// <summary>Frames that were overtaken: number in the capture → number of the last frame that overtook it.</summary>
    public IReadOnlyDictionary<long, long> Overtakers => OvertakenFrames;

    /// <summary>
    /// Source ports that flows were translated to: the flow as it left IPVS (client to server) → port it was sent from.
    /// </summary>
    public IReadOnlyDictionary<FlowKey, ushort> SourcePorts => DrawnPorts;

    /// <summary>Identifications of the load balancer's own ICMP messages, in order: source, destination, type → identifications.</summary>
    public IReadOnlyDictionary<FlowKey, Queue<ushort>> Identifications => DrawnIdentifications;

    /// <summary>Where openings of connections went, in order.</summary>
    public IReadOnlyList<ObservedPick> Picks => ObservedPicks;

    /// <summary>
    /// Where the kernel's timers of about a second fire, nanoseconds modulo 32 million; null where the recording does not tell.
    /// </summary>
    public long? TimerPhase { get; internal set; }

    /// <summary>What shows which addresses the load balancer had, in order of time.</summary>
    public IReadOnlyList<OwnershipProof> Ownership => OwnershipProofs;

    /// <summary>TCP connections that are older than the recording.</summary>
    public IReadOnlyList<MidFlow> MidFlows => OlderFlows;

    internal Dictionary<long, long> OvertakenFrames { get; } = [];

    internal Dictionary<FlowKey, ushort> DrawnPorts { get; } = [];

    internal Dictionary<FlowKey, Queue<ushort>> DrawnIdentifications { get; } = [];

    internal Dictionary<Fingerprint, List<long>> Errors { get; } = [];

    internal List<ObservedPick> ObservedPicks { get; } = [];

    internal List<MidFlow> OlderFlows { get; } = [];

    internal List<OwnershipProof> OwnershipProofs { get; } = [];

    internal bool HasOwnFrames { get; set; }

    /// <summary>Looks through a capture.</summary>
    /// <param name="reader">The capture, from its beginning; it is read to its end.</param>
    /// <param name="balancer">Tells which frames the load balancer sent.</param>
    /// <param name="afterFrame">Called after each frame, for who watches.</param>
    /// <param name="stopping">Ends the look early.</param>
    public static RecordingHints Infer(
        CaptureReader reader, LoadBalancer balancer, Action? afterFrame = null, CancellationToken stopping = default)
    {
        HintCollector collector = new(balancer.Namespace);
        int skip = balancer.AttachPoint == AttachPoint.Underlay ? EnvelopeBytes : 0;
        while (!stopping.IsCancellationRequested && TryRead(reader, out CapturedFrame captured))
        {
            afterFrame?.Invoke();
            if (captured.LinkType == LinkType.Ethernet && captured.Data.Length >= skip)
            {
                collector.Add(
                    captured.Data[skip..], captured.TimestampNanoseconds, captured.RecordNumber, balancer.IsOwn(captured.Data));
            }
        }

        return collector.ToHints();
    }

    /// <summary>Tells of each error of the load balancer's own once; null where the recording has no frames of its own.</summary>
    internal RecordedErrors? TakeErrors()
    {
        if (!HasOwnFrames)
        {
            return null;
        }

        const long LatenessMax = 100_000_000;
        Dictionary<Fingerprint, List<long>> left = Errors.ToDictionary(error => error.Key, error => new List<long>(error.Value));
        return (quoted, type, now) =>
        {
            if (!Fingerprint.TryRead(quoted, out Fingerprint fingerprint, out _)
                || !left.TryGetValue(fingerprint with { Ports = (byte)type }, out List<long>? times))
            {
                return false;
            }

            // A retransmission is like its original: only an error of about this time is meant.
            int index = times.FindIndex(time => Math.Abs(time - now) < LatenessMax);
            if (index >= 0)
            {
                times.RemoveAt(index);
            }

            return index >= 0;
        };
    }

    // Where a capture is damaged its frames end; the replay itself says so.
    private static bool TryRead(CaptureReader reader, out CapturedFrame captured)
    {
        try
        {
            return reader.TryRead(out captured);
        }
        catch (CaptureFormatException)
        {
            captured = default;
            return false;
        }
    }
}
