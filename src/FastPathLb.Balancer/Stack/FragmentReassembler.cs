using System.Buffers.Binary;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Stack;

/// <summary>
/// Puts fragments together before anything looks at ports (nf_defrag_ipv4, ip_fragment.c, inet_fragment.c). Memory is reserved
/// at start; a datagram that overlaps itself is given up, a duplicate is passed over. Owned by one worker.
/// </summary>
internal sealed class FragmentReassembler
{
    /// <summary>Datagrams that may be incomplete at a time; with 64 KiB each about the kernel's ipfrag_high_thresh of 4 MiB.</summary>
    public const int DatagramsMax = 64;

    /// <summary>Fragments of a datagram that may be out of order or apart.</summary>
    public const int FragmentsMax = 256;

    /// <summary>How long a datagram's fragments are waited for (ipfrag_time).</summary>
    public const long TimeoutNanoseconds = 30_000_000_000;

    private const int DatagramBytes = 64 * 1024;

    private readonly NetworkNamespace _space;
    private readonly Datagram[] _datagrams = new Datagram[DatagramsMax];
    private readonly Packet _expired = new();
    private int _count;

    public FragmentReassembler(NetworkNamespace space)
    {
        _space = space;
        for (int index = 0; index < DatagramsMax; index++)
        {
            _datagrams[index] = new Datagram();
        }
    }

    /// <summary>When the oldest datagram is given up, nanoseconds since the Unix epoch; the largest number where there is none.</summary>
    public long NextDue { get; private set; } = long.MaxValue;

    /// <summary>Takes a fragment.</summary>
    /// <param name="packet">The fragment; where the datagram is complete, it becomes the whole datagram.</param>
    /// <returns>None where the packet is whole now, else what became of the fragment.</returns>
    public DropReason Add(Packet packet)
    {
        Span<byte> bytes = packet.Bytes;
        ushort field = BinaryPrimitives.ReadUInt16BigEndian(bytes[Ipv4.FragmentOffset..]);
        int offset = (field & Ipv4.FragmentOffsetMask) << 3;
        int end = offset + packet.TransportLengthBytes;
        bool isLast = (field & Ipv4.MoreFragments) == 0;
        if (packet.CapturedBytes < packet.LengthBytes)
        {
            return DropReason.FrameTruncatedByCapture;
        }

        if (!isLast)
        {
            end &= ~7;
        }

        Datagram? datagram = Find(packet, out DropReason full);
        if (datagram is null)
        {
            return full;
        }

        if (end <= offset || end > DatagramBytes - Ipv4.HeaderLengthMinimum || !datagram.TryMark(offset, end, isLast))
        {
            Release(datagram);
            return end <= offset || end > DatagramBytes ? DropReason.FragmentInvalid : DropReason.FragmentOverlap;
        }

        if (datagram.IsDuplicate)
        {
            return DropReason.FragmentInvalid;
        }

        packet.Transport[..(end - offset)].CopyTo(datagram.Payload.AsSpan(offset));
        datagram.LargestBytes = Math.Max(datagram.LargestBytes, end - offset + packet.HeaderLengthBytes);
        if ((field & Ipv4.DontFragment) != 0)
        {
            datagram.LargestUnfragmentableBytes =
                Math.Max(datagram.LargestUnfragmentableBytes, end - offset + packet.HeaderLengthBytes);
        }

        if (offset == 0)
        {
            datagram.HeaderBytes = packet.HeaderLengthBytes;
            bytes[..packet.HeaderLengthBytes].CopyTo(datagram.Header);
        }

        if (!datagram.IsComplete)
        {
            return DropReason.FragmentHeld;
        }

        bool isWhole = TryBuild(datagram, packet);
        Release(datagram);
        return isWhole ? DropReason.None : DropReason.FragmentInvalid;
    }

    /// <summary>Gives up datagrams whose time is over; the sender of one for this host is told (ip_expire).</summary>
    public void Expire(long now, FrameBatch batch)
    {
        NextDue = long.MaxValue;
        for (int index = 0; index < DatagramsMax && _count > 0; index++)
        {
            Datagram datagram = _datagrams[index];
            if (!datagram.IsUsed || datagram.Expires > now)
            {
                NextDue = datagram.IsUsed ? Math.Min(NextDue, datagram.Expires) : NextDue;
                continue;
            }

            if (datagram.HeaderBytes > 0 && _space.IsLocalAddress(datagram.Destination))
            {
                int length = datagram.HeaderBytes + datagram.FirstRunBytes;
                int offset = batch.RentOutput(length);
                Span<byte> bytes = batch.Slice(offset, length);
                datagram.Header.AsSpan(0, datagram.HeaderBytes).CopyTo(bytes);
                datagram.Payload.AsSpan(0, datagram.FirstRunBytes).CopyTo(bytes[datagram.HeaderBytes..]);
                _expired.Begin(batch, offset, length, -1, datagram.Expires);
                _expired.IsRoutedToUs = true;
                _space.IcmpErrors.Send(_expired, IcmpType.TimeExceeded, Icmp.ReassemblyTimeExceeded, 0);
            }

            Release(datagram);
        }
    }

    private Datagram? Find(Packet packet, out DropReason full)
    {
        full = DropReason.None;
        ushort identification = BinaryPrimitives.ReadUInt16BigEndian(packet.Bytes[Ipv4.IdentificationOffset..]);
        Datagram? free = null;
        for (int index = 0; index < DatagramsMax; index++)
        {
            Datagram datagram = _datagrams[index];
            if (!datagram.IsUsed)
            {
                free ??= datagram;
            }
            else if (datagram.Identification == identification && datagram.Source == packet.Source
                && datagram.Destination == packet.Destination && datagram.Protocol == packet.Protocol)
            {
                return datagram;
            }
        }

        if (free is null)
        {
            full = DropReason.ReassemblyLimit;
            return null;
        }

        free.Begin(packet.Source, packet.Destination, packet.Protocol, identification, packet.Now + TimeoutNanoseconds);
        _count++;
        NextDue = Math.Min(NextDue, free.Expires);
        return free;
    }

    private void Release(Datagram datagram)
    {
        datagram.IsUsed = false;
        _count--;
    }

    private static bool TryBuild(Datagram datagram, Packet packet)
    {
        int length = datagram.HeaderBytes + datagram.PayloadBytes;
        if (length > ushort.MaxValue)
        {
            return false;
        }

        int offset = packet.Batch.RentOutput(length);
        Span<byte> bytes = packet.Batch.Slice(offset, length);
        datagram.Header.AsSpan(0, datagram.HeaderBytes).CopyTo(bytes);
        datagram.Payload.AsSpan(0, datagram.PayloadBytes).CopyTo(bytes[datagram.HeaderBytes..]);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[Ipv4.TotalLengthOffset..], (ushort)length);
        bool keepsDontFragment = datagram.LargestUnfragmentableBytes == datagram.LargestBytes;
        BinaryPrimitives.WriteUInt16BigEndian(
            bytes[Ipv4.FragmentOffset..], keepsDontFragment ? Ipv4.DontFragment : (ushort)0);
        Ipv4.WriteChecksum(bytes);

        NetworkInterface? input = packet.Input;
        PacketCast cast = packet.Cast;
        packet.Begin(packet.Batch, offset, length, packet.InputIndex, packet.Now);
        packet.Input = input;
        packet.Cast = cast;
        packet.LargestFragmentBytes = datagram.LargestBytes;
        packet.FragmentCount = datagram.CopyEnds(packet.FragmentEnds);
        return true;
    }

    /// <summary>A datagram in the making: which parts of it are there.</summary>
    private sealed class Datagram
    {
        // Fragments by their offset, ascending, each from its start to its end.
        private readonly (int Start, int End)[] _parts = new (int, int)[FragmentsMax];
        private int _partCount;
        private bool _hasLast;

        public byte[] Payload { get; } = GC.AllocateUninitializedArray<byte>(DatagramBytes);

        public byte[] Header { get; } = new byte[60];

        public bool IsUsed { get; set; }

        public bool IsDuplicate { get; private set; }

        public uint Source { get; private set; }

        public uint Destination { get; private set; }

        public IpProtocol Protocol { get; private set; }

        public ushort Identification { get; private set; }

        public long Expires { get; private set; }

        public int HeaderBytes { get; set; }

        public int PayloadBytes { get; private set; }

        public int LargestBytes { get; set; }

        public int LargestUnfragmentableBytes { get; set; }

        public int FirstRunBytes => _partCount > 0 && _parts[0].Start == 0 ? _parts[0].End : 0;

        public bool IsComplete
        {
            get
            {
                int reached = 0;
                for (int index = 0; index < _partCount; index++)
                {
                    if (_parts[index].Start != reached)
                    {
                        return false;
                    }

                    reached = _parts[index].End;
                }

                return _hasLast && reached == PayloadBytes && HeaderBytes > 0;
            }
        }

        public void Begin(uint source, uint destination, IpProtocol protocol, ushort identification, long expires)
        {
            IsUsed = true;
            Source = source;
            Destination = destination;
            Protocol = protocol;
            Identification = identification;
            Expires = expires;
            HeaderBytes = 0;
            PayloadBytes = 0;
            LargestBytes = 0;
            LargestUnfragmentableBytes = 0;
            _partCount = 0;
            _hasLast = false;
        }

        /// <summary>Notes a part.</summary>
        /// <returns><see langword="false"/> where it contradicts the others: the datagram is given up.</returns>
        public bool TryMark(int start, int end, bool isLast)
        {
            IsDuplicate = false;
            if (isLast)
            {
                if (end < PayloadBytes || (_hasLast && end != PayloadBytes))
                {
                    return false;
                }
            }
            else if (end > PayloadBytes && _hasLast)
            {
                return false;
            }

            int position = 0;
            while (position < _partCount && _parts[position].End <= start)
            {
                position++;
            }

            if (position < _partCount && _parts[position].Start < end)
            {
                // Inside of what is there without a gap: a duplicate. Else it overlaps.
                int reached = _parts[position].End;
                for (int next = position + 1; next < _partCount && _parts[next].Start == reached; next++)
                {
                    reached = _parts[next].End;
                }

                IsDuplicate = start >= _parts[position].Start && end <= reached;
                return IsDuplicate;
            }

            if (_partCount == FragmentsMax)
            {
                return false;
            }

            Array.Copy(_parts, position, _parts, position + 1, _partCount - position);
            _parts[position] = (start, end);
            _partCount++;
            _hasLast |= isLast;
            PayloadBytes = Math.Max(PayloadBytes, end);
            return true;
        }

        public int CopyEnds(int[] ends)
        {
            for (int index = 0; index < _partCount; index++)
            {
                ends[index] = _parts[index].End;
            }

            return _partCount;
        }
    }
}
