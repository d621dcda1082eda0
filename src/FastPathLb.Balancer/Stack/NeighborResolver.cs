using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Stack;

/// <summary>
/// Asks for next hops' MACs and keeps the packets that wait for them (net/core/neighbour.c): three requests a second apart, then
/// the packets' senders are told that the host is unreachable. Memory is reserved at start. Owned by one worker.
/// </summary>
internal sealed class NeighborResolver
{
    /// <summary>Next hops that may be asked for at a time.</summary>
    public const int QuestionsMax = 512;

    /// <summary>Packets that may wait, over all next hops.</summary>
    public const int PacketsMax = 2048;

    /// <summary>Packets that may wait for one next hop: the kernel's unres_qlen_bytes of 212,992 holds about as many small ones.</summary>
    public const int PacketsPerHopMax = 166;

    private const int PacketBytes = 2048;
    private const int Probes = 3;

    // A second (retrans_time_ms) on the kernel's timer wheel at HZ=250: timers of 64 to 511 jiffies fire at the next multiple of
    // eight jiffies.
    private const long ProbeInterval = 1_000_000_000;
    private const long WheelGrain = 32_000_000;
    private const int ArpFrameBytes = 42;

    private readonly NetworkNamespace _space;
    private readonly Dictionary<uint, Question> _questions = new(QuestionsMax);
    private readonly Stack<Question> _idle = new(QuestionsMax);
    private readonly List<Question> _due = new(QuestionsMax);
    private readonly Held[] _held = new Held[PacketsMax];
    private readonly Stack<int> _free = new(PacketsMax);
    private readonly Packet _packet = new();
    private byte[]? _bytes;
    private long _nextDue = long.MaxValue;
    private long _sequence;

    public NeighborResolver(NetworkNamespace space) => _space = space;

    private struct Held
    {
        public int LengthBytes;
        public NetworkInterface Output;
        public bool IsRoutedToUs;
        public int Next;
    }

    private sealed class Question
    {
        public uint Address { get; set; }

        public NetworkInterface Output { get; set; } = null!;

        public int Asked { get; set; }

        public long Due { get; set; }

        public long Sequence { get; set; }

        public int First { get; set; } = -1;

        public int Last { get; set; } = -1;

        public int Count { get; set; }
    }

    /// <summary>
    /// Where the multiples of eight jiffies lie, nanoseconds below 32 million: the kernel counts jiffies from its start, which
    /// only a recording tells.
    /// </summary>
    public long WheelPhase { get; set; }

    /// <summary>When the next question is due, nanoseconds since the Unix epoch; the largest number where none is.</summary>
    public long NextDue => _nextDue;

    /// <summary>Keeps a packet until its next hop's MAC is known, and asks for it.</summary>
    public DropReason Hold(Packet packet, int offset, int lengthBytes)
    {
        if (_bytes is null)
        {
            Reserve();
        }

        if (!_questions.TryGetValue(packet.NextHop, out Question? question))
        {
            if (!_idle.TryPop(out question))
            {
                return DropReason.NeighborUnresolved;
            }

            question.Address = packet.NextHop;
            question.Output = packet.Output!;
            question.Asked = 1;
            Schedule(question, packet.Now);
            _questions.Add(packet.NextHop, question);
            _nextDue = Math.Min(_nextDue, question.Due);
            Ask(question, packet.Batch, packet.InputIndex, packet.Now);
        }

        if (question.Count >= PacketsPerHopMax)
        {
            _free.Push(TakeFirst(question));
        }

        if (lengthBytes > PacketBytes || !_free.TryPop(out int slot))
        {
            return DropReason.NeighborUnresolved;
        }

        packet.Batch.Slice(offset, lengthBytes).CopyTo(_bytes.AsSpan(slot * PacketBytes));
        _held[slot] = new Held
        {
            LengthBytes = lengthBytes,
            Output = packet.Output!,
            IsRoutedToUs = packet.IsRoutedToUs,
            Next = -1,
        };
        if (question.Last >= 0)
        {
            _held[question.Last].Next = slot;
        }
        else
        {
            question.First = slot;
        }

        question.Last = slot;
        question.Count++;
        return DropReason.NeighborUnresolved;
    }

    /// <summary>A MAC became known: what waits for it is sent.</summary>
    public void Resolve(uint address, FrameBatch batch, int inputIndex, long now)
    {
        if (_questions.Count == 0 || !_questions.Remove(address, out Question? question))
        {
            return;
        }

        while (question.Count > 0)
        {
            int slot = TakeFirst(question);
            Restore(slot, batch, inputIndex, now);
            _packet.NextHop = address;
            _space.Output.Transmit(_packet, _packet.Start, _packet.CapturedBytes);
            _free.Push(slot);
        }

        _idle.Push(question);
    }

    /// <summary>Asks again, or gives up.</summary>
    public void Expire(long now, FrameBatch batch)
    {
        while (_nextDue <= now)
        {
            _due.Clear();
            long next = long.MaxValue;
            foreach (Question question in _questions.Values)
            {
                if (question.Due <= _nextDue)
                {
                    _due.Add(question);
                }
                else
                {
                    next = Math.Min(next, question.Due);
                }
            }

            // Giving up may tell a sender that has to be asked for itself, which is due after this.
            _nextDue = next;

            // Timers of one slot fire the last set first (hlist_add_head in kernel/time/timer.c).
            _due.Sort(static (left, right) => right.Sequence.CompareTo(left.Sequence));
            for (int index = 0; index < _due.Count; index++)
            {
                Question question = _due[index];
                if (question.Asked < Probes)
                {
                    question.Asked++;
                    Ask(question, batch, -1, question.Due);
                    Schedule(question, question.Due);
                    _nextDue = Math.Min(_nextDue, question.Due);
                }
                else
                {
                    GiveUp(question, batch);
                }
            }
        }
    }

    /// <summary>Asks a neighbour that was known whether it still is where it was (NUD_PROBE).</summary>
    public void Probe(NetworkInterface output, uint address, MacAddress mac, FrameBatch batch, long now) =>
        Ask(output, address, mac, batch, inputIndex: -1, now);

    private void Schedule(Question question, long now)
    {
        long due = now + ProbeInterval - WheelPhase;
        question.Due = ((due / WheelGrain) + 1) * WheelGrain + WheelPhase;
        question.Sequence = ++_sequence;
    }

    private void GiveUp(Question question, FrameBatch batch)
    {
        _questions.Remove(question.Address);
        while (question.Count > 0)
        {
            int slot = TakeFirst(question);
            Restore(slot, batch, -1, question.Due);
            if (_packet.HeaderLengthBytes > Ipv4.HeaderLengthMinimum)
            {
                // The kernel reads the options again, filling them in once more (ipv4_send_dest_unreach).
                Ipv4Options.Compile(_packet, _space, isLocalRoute: false);
            }

            _space.IcmpErrors.Send(_packet, IcmpType.DestinationUnreachable, Icmp.HostUnreachable, 0);
            _free.Push(slot);
        }

        _idle.Push(question);
    }

    private void Restore(int slot, FrameBatch batch, int inputIndex, long now)
    {
        ref Held held = ref _held[slot];
        int offset = batch.RentOutput(LinkInput.EthernetHeaderBytes + held.LengthBytes) + LinkInput.EthernetHeaderBytes;
        _bytes.AsSpan(slot * PacketBytes, held.LengthBytes).CopyTo(batch.Slice(offset, held.LengthBytes));
        _packet.Begin(batch, offset, held.LengthBytes, inputIndex, now);
        _packet.Output = held.Output;
        _packet.IsRoutedToUs = held.IsRoutedToUs;
    }

    private int TakeFirst(Question question)
    {
        int slot = question.First;
        question.First = _held[slot].Next;
        question.Count--;
        if (question.First < 0)
        {
            question.Last = -1;
        }

        return slot;
    }

    // Only a load balancer whose next hops are unknown needs the memory; it comes in one piece, before the first packet waits.
    private void Reserve()
    {
        _bytes = GC.AllocateUninitializedArray<byte>(PacketsMax * PacketBytes);
        for (int slot = PacketsMax - 1; slot >= 0; slot--)
        {
            _free.Push(slot);
        }

        for (int index = 0; index < QuestionsMax; index++)
        {
            _idle.Push(new Question());
        }
    }

    private void Ask(Question question, FrameBatch batch, int inputIndex, long now) =>
        Ask(question.Output, question.Address, MacAddress.Broadcast, batch, inputIndex, now);

    /// <summary>An ARP request from the address the packets would be seen with, or the interface's first.</summary>
    private void Ask(NetworkInterface output, uint address, MacAddress destination, FrameBatch batch, int inputIndex, long now)
    {
        int offset = batch.RentOutput(ArpFrameBytes);
        Span<byte> frame = batch.Slice(offset, ArpFrameBytes);
        new EthernetFields(destination, output.Mac, EtherType.Arp).WriteTo(frame);
        new ArpFields(
            ArpOperation.Request, output.Mac, new Ipv4Address(output.PrimaryAddress), default,
            new Ipv4Address(address)).WriteTo(frame[LinkInput.EthernetHeaderBytes..]);
        _space.LinkOf(output).Transmit(batch, offset, ArpFrameBytes, inputIndex, now);
    }
}
