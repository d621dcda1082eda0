using FastPathLb.Balancer.FastPath;
using FastPathLb.Balancer.Stack;
using FastPathLb.Balancer.Tunnel;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer;

/// <summary>
/// The data path of one worker: batches of frames in, the frames they cause out. Start reading here, then
/// <see cref="NetworkNamespace"/>. Replay, live devices and benchmarks all run this.
/// </summary>
public sealed class LoadBalancer
{
    private readonly NetworkNamespace _space;
    private readonly NetworkInterface _device;
    private readonly Uplink? _uplink;
    private readonly EstablishedPath _established;
    private long _now = long.MinValue;
    private long _due = long.MinValue;

    /// <summary>A load balancer whose frames come and go at the underlay.</summary>
    public LoadBalancer(NetworkNamespace space, NetworkInterface device, Uplink uplink)
    {
        _space = space;
        _device = device;
        _uplink = uplink;
        _established = new EstablishedPath(space, device, uplink);
        AttachPoint = AttachPoint.Underlay;
    }

    /// <summary>A load balancer whose frames come and go at its own interface.</summary>
    public LoadBalancer(NetworkNamespace space, NetworkInterface device)
    {
        _space = space;
        _device = device;
        _established = new EstablishedPath(space, device, uplink: null);
        AttachPoint = AttachPoint.Overlay;
        space.Connect(device, new BatchLink());
    }

    /// <summary>Where frames enter and leave.</summary>
    public AttachPoint AttachPoint { get; }

    /// <summary>The load balancer's namespace.</summary>
    public NetworkNamespace Namespace => _space;

    /// <summary>What was seen and done.</summary>
    public FrameCounters Counters { get; } = new();

    /// <summary>
    /// Whether packets of established connections take the short way. Both ways give the same frames, tables and counters; tests
    /// and benchmarks compare them.
    /// </summary>
    public bool UsesEstablishedPath { get; set; } = true;

    /// <summary>Frames that took the short way.</summary>
    public long EstablishedFrames => _established.FramesForwarded;

    /// <summary>Time of the latest frame or <see cref="Advance"/>, nanoseconds since the Unix epoch.</summary>
    public long Now => _now;

    /// <summary>Whether the load balancer itself sent a frame: a recording of both directions has those too.</summary>
    public bool IsOwn(ReadOnlySpan<byte> frame) =>
        _uplink is not null ? _uplink.IsOwn(frame)
        : frame.Length >= 12 && MacAddress.Read(frame[6..]) == _device.Mac;

    /// <summary>
    /// Addresses a frame that was captured without its link-layer header to the load balancer, unless the load balancer's own
    /// address says that it sent it.
    /// </summary>
    public void Address(Span<byte> frame)
    {
        const int SourceAddressOffset = 14 + Ipv4.SourceOffset;
        MacAddress mac = _uplink?.Mac ?? _device.Mac;
        mac.WriteTo(frame);
        if (frame.Length >= SourceAddressOffset + Ipv4Address.LengthBytes && MacAddress.Read(frame[6..]).IsZero
            && _space.IsLocalAddress(Ipv4Address.Read(frame[SourceAddressOffset..]).Value))
        {
            mac.WriteTo(frame[6..]);
        }
    }

    /// <summary>Lets time pass up to a moment: what is due happens. Time never goes back.</summary>
    /// <param name="now">The moment, nanoseconds since the Unix epoch.</param>
    /// <param name="batch">Where frames go that this causes.</param>
    public void Advance(long now, FrameBatch batch)
    {
        if (now > _now)
        {
            _now = now;
            _space.Advance(now, batch);
        }
    }

    /// <summary>Processes a batch in order of arrival; emitted frames are in it afterwards, or with its sink already.</summary>
    public void Process(FrameBatch batch)
    {
        bool isShort = UsesEstablishedPath && _established.IsUsable;
        Span<FrameDescriptor> frames = batch.Frames;
        _due = long.MinValue;
        if (isShort)
        {
            _established.Begin();
        }

        for (int first = 0; first < frames.Length; first += EstablishedPath.FramesAhead)
        {
            int end = Math.Min(first + EstablishedPath.FramesAhead, frames.Length);
            if (isShort)
            {
                _established.Read(batch, first, end - first);
            }

            for (int index = first; index < end;)
            {
                // A frame that is older than what was done already is processed at the time that it is: the kernel's does not go back.
                ref FrameDescriptor frame = ref frames[index];
                if (frame.TimestampNanoseconds >= _due)
                {
                    Advance(frame.TimestampNanoseconds, batch);
                    _due = _space.NextDue;
                }

                int next = isShort ? _established.Forward(batch, index, end, _due, ref _now) : index;
                if (next == index)
                {
                    _now = Math.Max(_now, frame.TimestampNanoseconds);
                    ProcessWhole(batch, index, ref frame, isShort);
                    next++;
                }

                index = next;
            }
        }

        if (isShort)
        {
            _established.Settle(Counters);
        }
    }

    /// <summary>The general path.</summary>
    private void ProcessWhole(FrameBatch batch, int index, ref FrameDescriptor frame, bool isShort)
    {
        batch.EnsureOutputRoom();
        int emittedBefore = batch.Emitted.Length;
        Outcome outcome = _uplink is not null
            ? _uplink.Receive(
                batch, frame.Offset, frame.LengthBytes, frame.WireLengthBytes, index, _now, out frame.Connection)
            : _space.Receive(
                _device, batch, frame.Offset, frame.LengthBytes, frame.WireLengthBytes, index, _now, out frame.Connection);
        frame.Verdict = outcome.Verdict;
        frame.Reason = outcome.Reason;
        Counters.Count(frame);
        _due = _space.NextDue;
        if (isShort)
        {
            _established.CheckLearned();
            if (outcome.Verdict == Verdict.Forwarded)
            {
                _established.Learn(batch, index, emittedBefore);
            }
        }
    }

    /// <summary>The wire of the overlay attach point: what the interface sends is what the batch emits.</summary>
    private sealed class BatchLink : ILinkOutput
    {
        public DropReason Transmit(FrameBatch batch, int offset, int lengthBytes, int inputIndex, long now)
        {
            batch.Emit(
                offset, lengthBytes, now, inputIndex, wireLengthBytes: LinkInput.WireLength(batch.Slice(offset, lengthBytes)));
            return DropReason.None;
        }
    }
}
