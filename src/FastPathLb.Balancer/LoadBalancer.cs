using System.Runtime.CompilerServices;
using FastPathLb.Balancer.FastPath;
using FastPathLb.Balancer.Stack;
using FastPathLb.Balancer.Tunnel;
using FastPathLb.Balancer.Workers;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer;

/// <summary>
/// The data path of one worker: batches of frames in, the frames they cause out. Start reading here, then
/// <see cref="NetworkNamespace"/>. Replay, live devices and benchmarks all run this.
/// </summary>
public sealed class LoadBalancer
{
    private const int EthernetBytes = 14;

    // An ARP packet in VXLAN, with the padding that short frames have.
    private const int ArpBytesMax = 128;

    private readonly NetworkNamespace _space;
    private readonly NetworkInterface _device;
    private readonly Uplink? _uplink;
    private readonly EstablishedPath _established;
    private long _now = long.MinValue;
    private long _due = long.MinValue;
    private WorkerGroup? _group;
    private int _worker;

    /// <summary>A load balancer whose frames come and go at the underlay.</summary>
    public LoadBalancer(NetworkNamespace space, NetworkInterface device, Uplink uplink)
    {
        _space = space;
        _device = device;
        _uplink = uplink;
        _established = new EstablishedPath(space, device, uplink, Counters);
        AttachPoint = AttachPoint.Underlay;
    }

    /// <summary>A load balancer whose frames come and go at its own interface.</summary>
    public LoadBalancer(NetworkNamespace space, NetworkInterface device)
    {
        _space = space;
        _device = device;
        _established = new EstablishedPath(space, device, uplink: null, Counters);
        AttachPoint = AttachPoint.Overlay;
        space.Connect(device, new BatchLink());
    }

    /// <summary>Where frames enter and leave.</summary>
    public AttachPoint AttachPoint { get; }

    /// <summary>The load balancer's namespace.</summary>
    public NetworkNamespace Namespace => _space;

    /// <summary>The node's end of the tunnel, at the underlay.</summary>
    internal Uplink? Uplink => _uplink;

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
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
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
        _group?.Gate.Begin(_worker);
        Reach(now, batch);
        _group?.Gate.End(_worker);
    }

    /// <summary>Joins others that share its connections' memory, once, before the first frame.</summary>
    internal void Join(WorkerGroup group, int worker)
    {
        _group = group;
        _worker = worker;
        _space.Translator.Workers = group.Gate.Workers;
        _space.Translator.Worker = worker;
    }

    /// <summary>Learns what ARP tells, which another worker answers. The gate is held.</summary>
    internal void Learn(FrameBatch batch, int offset, int lengthBytes, int inputIndex, long now)
    {
        _space.Arp.IsMute = true;
        if (_uplink is not null)
        {
            _uplink.IsMute = true;
        }

        Receive(batch, offset, lengthBytes, lengthBytes, inputIndex, Math.Max(now, _now), out _);
        _space.Arp.IsMute = false;
        if (_uplink is not null)
        {
            _uplink.IsMute = false;
        }
    }

    /// <summary>Processes a batch in order of arrival; emitted frames are in it afterwards, or with its sink already.</summary>
    public void Process(FrameBatch batch)
    {
        bool isShort = UsesEstablishedPath && _established.IsUsable;
        Span<FrameDescriptor> frames = batch.Frames;
        _due = long.MinValue;
        _group?.Gate.Begin(_worker);
        if (isShort)
        {
            _established.Begin(frames.Length, hasTurns: _group is { Turns.AreDealt: true });
        }

        for (int first = 0, end; first < frames.Length; first = end)
        {
            end = Math.Min(first + EstablishedPath.FramesAtOnceMax, frames.Length);
            _group?.Gate.Pass(_worker);
            if (isShort)
            {
                end = first + _established.Read(batch, first);
                if (_group is not null)
                {
                    _established.Withhold(frames, first, end);
                }
            }

            for (int index = first; index < end;)
            {
                // A frame that is older than what was done already is processed at the time that it is: the kernel's does not go back.
                ref FrameDescriptor frame = ref frames[index];
                if (frame.TimestampNanoseconds >= _due)
                {
                    Reach(frame.TimestampNanoseconds, batch);
                    _due = _space.NextDue;
                }

                int next = isShort ? _established.Forward(batch, index, end, ref _due, ref _now) : index;
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
            _established.Settle();
        }

        _group?.Gate.End(_worker);
    }

    /// <summary>Does what is due by a moment.</summary>
    private void Reach(long now, FrameBatch batch)
    {
        if (now <= _now)
        {
            return;
        }

        _now = now;
        if (_group is not null && _space.Ipvs.NeedsWholeTable && _space.NextDue <= now)
        {
            Hold(_group);
            _space.Advance(now, batch);
            Release(_group);
            return;
        }

        _space.Advance(now, batch);
    }

    private void Hold(WorkerGroup group)
    {
        group.Gate.Hold(_worker);
        _space.Connections.IsExclusive = true;
    }

    private void Release(WorkerGroup group)
    {
        _space.Connections.IsExclusive = false;
        group.Gate.Release(_worker);
    }

    private Outcome Receive(
        FrameBatch batch, int offset, int lengthBytes, int wireLengthBytes, int index, long now, out int connection) =>
        _uplink is not null
            ? _uplink.Receive(batch, offset, lengthBytes, wireLengthBytes, index, now, out connection)
            : _space.Receive(_device, batch, offset, lengthBytes, wireLengthBytes, index, now, out connection);

    /// <summary>
    /// The general path of a worker among others: in the frame's turn, where it has one, and alone with all of them at rest, where
    /// it asks for that.
    /// </summary>
    private Outcome ReceiveAmongOthers(WorkerGroup group, FrameBatch batch, int index, ref FrameDescriptor frame)
    {
        if (frame.Turn != 0)
        {
            Await(group, frame.Turn);
        }

        Outcome outcome = ReceiveShared(group, batch, index, ref frame);
        if (frame.Turn != 0)
        {
            group.Turns.Pass(frame.Turn);
        }

        return outcome;
    }

    /// <summary>Rests until it is a frame's turn: whoever holds the gate meanwhile may be one of those before it.</summary>
    private void Await(WorkerGroup group, ushort turn)
    {
        if (group.Turns.IsTurnOf(turn))
        {
            return;
        }

        group.Gate.End(_worker);
        SpinWait spin = default;
        while (!group.Turns.IsTurnOf(turn))
        {
            spin.SpinOnce(sleep1Threshold: -1);
        }

        group.Gate.Begin(_worker);
    }

    private Outcome ReceiveShared(WorkerGroup group, FrameBatch batch, int index, ref FrameDescriptor frame)
    {
        bool isAlone = _space.Ipvs.NeedsWholeTable || group.Steering.WorkerOf(batch.FrameBytes(index)) == FrameSteering.Alone;
        if (!isAlone)
        {
            Outcome outcome = Receive(
                batch, frame.Offset, frame.LengthBytes, frame.WireLengthBytes, index, _now, out frame.Connection);
            if (outcome.Reason != DropReason.OtherWorker)
            {
                return outcome;
            }
        }

        Hold(group);
        Span<byte> arp = stackalloc byte[ArpBytesMax];
        int arpBytes = CopyArp(batch.FrameBytes(index), arp);
        Outcome alone = Receive(batch, frame.Offset, frame.LengthBytes, frame.WireLengthBytes, index, _now, out frame.Connection);
        if (arpBytes > 0)
        {
            group.Teach(_worker, batch, arp[..arpBytes], index, _now);
        }

        Release(group);
        return alone;
    }

    /// <summary>Keeps a frame that is ARP, within VXLAN or not: what it tells is for all workers.</summary>
    private int CopyArp(ReadOnlySpan<byte> frame, Span<byte> copy)
    {
        int inner = _uplink is not null && frame.Length > Uplink.EnvelopeBytes + EthernetBytes && !IsArp(frame) ? Uplink.EnvelopeBytes : 0;
        int length = Math.Min(frame.Length, copy.Length);
        if (frame.Length < EthernetBytes || !IsArp(frame[inner..]))
        {
            return 0;
        }

        frame[..length].CopyTo(copy);
        return length;
    }

    private static bool IsArp(ReadOnlySpan<byte> frame) => frame[12] == 8 && frame[13] == 6;

    /// <summary>The general path.</summary>
    private void ProcessWhole(FrameBatch batch, int index, ref FrameDescriptor frame, bool isShort)
    {
        batch.EnsureOutputRoom();
        int emittedBefore = batch.Emitted.Length;
        Outcome outcome = _group is not null ? ReceiveAmongOthers(_group, batch, index, ref frame)
            : Receive(batch, frame.Offset, frame.LengthBytes, frame.WireLengthBytes, index, _now, out frame.Connection);
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
