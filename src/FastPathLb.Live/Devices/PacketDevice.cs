using System.Buffers.Binary;
using FastPathLb.Live.Interop;
using FastPathLb.Live.Running;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Live.Devices;

/// <summary>
/// An interface by packet sockets: a TPACKET_V3 ring to receive, <c>sendmmsg</c> past the queue discipline to send. Works with every
/// driver.
/// </summary>
/// <remarks>
/// The kernel's own stack sees the frames too, so the interface should have no address of its own. A block of the ring is
/// handed over when it is full or a millisecond old, which is what a lone frame waits. Checksums that a local sender left to a card
/// are finished here; super-packets of segmentation offload cannot be sent on and are counted as too long: switch them off at the interface and at
/// a veth's other end (<c>ethtool -K IF tso off gso off gro off</c>). Nothing is allocated per frame.
/// </remarks>
public sealed class PacketDevice : ILiveDevice
{
    private const uint BlockBytes = 256 * 1024;
    private const uint BlockCount = 32;
    private const uint RetireMilliseconds = 1;
    private const int FramesPerCall = 64;
    private const int LinkBytesMax = 22;
    private const int MacBytes = 12;
    private const int VlanBytes = 4;
    private const int FramesPerStatistics = 4096;
    private const int SocketLevel = 1;
    private const int SocketError = 4;

    private readonly int _receiver;
    private readonly int _sender;
    private readonly int _index;
    private readonly LiveClock _clock;
    private readonly PacketRingInterop _ring;
    private readonly MessageVectorInterop _messages = new(FramesPerCall);
    private long _statisticsDue;
    private long _framesBeforeError;
    private bool _isSuspect;

    private PacketDevice(int receiver, int sender, string name, LiveClock clock, PacketRingInterop ring)
    {
        _receiver = receiver;
        _sender = sender;
        _clock = clock;
        _ring = ring;
        _index = PacketSocket.IndexOf(name);
        Name = name;
        MtuBytes = InterfaceControl.ReadMtu(name);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public string Kind => "af_packet";

    /// <inheritdoc/>
    public int MtuBytes { get; }

    /// <inheritdoc/>
    public DeviceCounters Counters { get; } = new();

    /// <inheritdoc/>
    public string? Failure { get; private set; }

    /// <summary>Opens an interface and brings it up.</summary>
    /// <param name="name">The interface.</param>
    /// <param name="clock">What stamps frames.</param>
    /// <exception cref="DeviceException">It cannot be opened; the message says what to do.</exception>
    public static PacketDevice Open(string name, LiveClock clock) => Open(name, clock, fanout: null);

    /// <summary>As <see cref="Open(string, LiveClock)"/>, with a socket for each worker, which share the frames as <see cref="Steer"/> says (PACKET_FANOUT_CBPF).</summary>
    /// <exception cref="DeviceException">It cannot be opened; the message says what to do.</exception>
    public static IReadOnlyList<PacketDevice> OpenQueues(string name, LiveClock clock, int count)
    {
        List<PacketDevice> queues = [];
        PacketFanout? fanout = count > 1 ? new PacketFanout() : null;
        try
        {
            while (queues.Count < count)
            {
                queues.Add(Open(name, clock, fanout));
            }

            return queues;
        }
        catch
        {
            queues.ForEach(queue => queue.Dispose());
            throw;
        }
    }

    private static PacketDevice Open(string name, LiveClock clock, PacketFanout? fanout)
    {
        int receiver = PacketSocket.Open(name);
        int sender = -1;
        try
        {
            Set(receiver, name, PacketSocket.Version, PacketSocket.Version3, "the kernel has no TPACKET_V3");
            Set(receiver, name, PacketSocket.VirtualHeader, 1, "the kernel tells no offloads");
            PacketRingInterop ring = PacketRingInterop.Create(receiver, name, BlockBytes, BlockCount, RetireMilliseconds);
            try
            {
                // Not there before Linux 4.20: then frames that others send by the interface are seen too, and passed over by their MAC.
                _ = LibcInterop.SetOption(receiver, PacketSocket.Level, PacketSocket.IgnoreOutgoing, 1);
                sender = PacketSocket.Open(name);
                Set(sender, name, PacketSocket.BypassQueueDiscipline, 1, "the kernel cannot send past queue disciplines");
                PacketSocket.Bind(sender, name, receives: false);
                PacketSocket.JoinPromiscuous(receiver, name);
                if (fanout is not null)
                {
                    PacketFanout.Close(receiver, name);
                }

                PacketSocket.Bind(receiver, name, receives: true);
                fanout?.Join(receiver, name);
                InterfaceControl.BringUp(name);
                return new PacketDevice(receiver, sender, name, clock, ring);
            }
            catch
            {
                ring.Dispose();
                throw;
            }
        }
        catch
        {
            _ = LibcInterop.Close(receiver);
            if (sender >= 0)
            {
                _ = LibcInterop.Close(sender);
            }

            throw;
        }
    }

    /// <summary>Has frames come to the socket of the worker they belong to. Any socket of several; while no worker runs.</summary>
    /// <returns>Whether the kernel took it; otherwise they come as before, and are handed over.</returns>
    internal bool Steer(LiveMembers members) => PacketFanout.Steer(_receiver, SteeringProgram.Compile(members));

    /// <inheritdoc/>
    public FrameBatch CreateBatch() => new(BatchSize.InputBytes(MtuBytes + LinkBytesMax));

    /// <inheritdoc/>
    public bool Receive(FrameBatch batch)
    {
        long now = 0;
        while (_ring.TryPeek(out RingFrame frame))
        {
            if (frame.IsSuperPacket)
            {
                Counters.SuperPackets++;
            }

            int length = frame.Bytes.Length + (frame.HasVlanTag ? VlanBytes : 0);
            if (frame.Bytes.Length < MacBytes || length > FrameBatch.FrameLengthMax)
            {
                Counters.TooLongDrops++;
                _ring.Take();
                continue;
            }

            Span<byte> room = batch.Reserve(length);
            if (room.IsEmpty)
            {
                break;
            }

            if (now == 0)
            {
                now = _clock.Read();
            }

            Copy(frame, room);
            Counters.FramesIn++;
            Counters.BytesIn += length;
            batch.Commit(length, length + frame.WireBytes - frame.Bytes.Length, now, Counters.FramesIn);
            _ring.Take();
        }

        if (Counters.FramesIn >= _statisticsDue)
        {
            ReadStatistics();
        }

        return Failure is null || batch.Count > 0;
    }

    /// <inheritdoc/>
    public void Send(FrameBatch batch)
    {
        int count = 0;
        for (int index = 0; index < batch.Emitted.Length; index++)
        {
            if (count == _messages.Capacity)
            {
                Send(batch, index - count, count);
                count = 0;
            }

            _messages.Set(count++, batch.EmittedBytes(index));
        }

        Send(batch, batch.Emitted.Length - count, count);
    }

    /// <inheritdoc/>
    public void Wait(int wakeDescriptor, int timeoutMilliseconds)
    {
        const int DownPauseMilliseconds = 10;
        _ = LibcInterop.Poll(_receiver, wakeDescriptor, timeoutMilliseconds, out short events, out _);
        ReadStatistics();
        bool hasError = (events & LibcInterop.PollError) != 0;
        if (hasError)
        {
            // Reading the error clears it.
            _ = LibcInterop.GetOption(_receiver, SocketLevel, SocketError, out int _);
            _isSuspect = true;
            _framesBeforeError = Counters.FramesIn;
        }

        _isSuspect &= Counters.FramesIn == _framesBeforeError;
        if (!_isSuspect)
        {
            return;
        }

        // An interface that is down comes back by itself; one that is removed goes down first, and is not told of again: so it is
        // looked for until frames come.
        if (LibcInterop.InterfaceIndex(Name) != _index)
        {
            Failure = $"{Name}: the interface was removed";
        }
        else if (hasError)
        {
            Thread.Sleep(DownPauseMilliseconds);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ring.Dispose();
        _messages.Dispose();
        _ = LibcInterop.Close(_receiver);
        _ = LibcInterop.Close(_sender);
        GC.SuppressFinalize(this);
    }

    private static void Set(int descriptor, string name, int option, int value, string problem)
    {
        if (LibcInterop.SetOption(descriptor, PacketSocket.Level, option, value) != 0)
        {
            throw DeviceException.Of(name, problem, LibcInterop.LastError);
        }
    }

    private static void Copy(in RingFrame frame, Span<byte> room)
    {
        if (frame.HasVlanTag)
        {
            frame.Bytes[..MacBytes].CopyTo(room);
            BinaryPrimitives.WriteUInt16BigEndian(room[MacBytes..], frame.VlanProtocol);
            BinaryPrimitives.WriteUInt16BigEndian(room[(MacBytes + 2)..], frame.VlanTag);
            frame.Bytes[MacBytes..].CopyTo(room[(MacBytes + VlanBytes)..]);
            return;
        }

        frame.Bytes.CopyTo(room);
        if (frame.IsChecksumMissing)
        {
            FinishChecksum(room, frame.ChecksumStart, frame.ChecksumOffset);
        }
    }

    /// <summary>What a card would have done: the field holds the pseudo-header's sum, and the sum of all from the start on completes it.</summary>
    private static void FinishChecksum(Span<byte> frame, int start, int offset)
    {
        const int Bytes = 2;
        if (start < 0 || offset < 0 || start + offset + Bytes > frame.Length)
        {
            return;
        }

        ushort checksum = InternetChecksum.Finish(InternetChecksum.Sum(frame[start..], 0));
        BinaryPrimitives.WriteUInt16BigEndian(frame[(start + offset)..], checksum == 0 ? ushort.MaxValue : checksum);
    }

    private void Send(FrameBatch batch, int firstEmitted, int count)
    {
        int done = 0;
        while (done < count)
        {
            int sent = _messages.Send(_sender, done, count - done);
            if (sent > 0)
            {
                for (int index = 0; index < sent; index++)
                {
                    Counters.BytesOut += batch.Emitted[firstEmitted + done + index].LengthBytes;
                }

                Counters.FramesOut += sent;
                done += sent;
                continue;
            }

            // The error is the next frame's alone.
            Refuse(LibcInterop.LastError);
            done++;
        }
    }

    private void Refuse(int error)
    {
        switch (error)
        {
            case ErrorNumber.MessageTooLong:
                Counters.TooLongDrops++;
                break;
            case ErrorNumber.NetworkDown or ErrorNumber.NoDevice or ErrorNumber.NoDeviceOrAddress:
                Counters.DownDrops++;
                break;
            default:
                Counters.QueueFullDrops++;
                break;
        }
    }

    private void ReadStatistics()
    {
        _statisticsDue = Counters.FramesIn + FramesPerStatistics;
        if (LibcInterop.GetOption(_receiver, PacketSocket.Level, PacketSocket.Statistics, out PacketSocket.RingStatistics statistics) == 0)
        {
            Counters.ReceiveDrops += statistics.Drops;
        }
    }
}
