using System.Buffers.Binary;
using System.Numerics;
using FastPathLb.Conntrack;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer;

/// <summary>
/// An IPv4 packet on its way through a namespace: where its bytes are, and what the steps so far found out about it (the
/// kernel's skb). One object per step of nesting, used again for every packet. Owned by one worker.
/// </summary>
public sealed class Packet
{
    /// <summary>A conntrack entry that is not in the table yet: it is confirmed when its first packet leaves.</summary>
    public Connection Pending;

    /// <summary>What its IPv4 options ask for.</summary>
    internal Stack.Ipv4OptionMarks Options;

    /// <summary>What was found out about the reply that the pending entry was bound to last.</summary>
    internal Netfilter.ReplyVacancy Vacancy;

    /// <summary>The batch whose arena holds the bytes.</summary>
    public FrameBatch Batch { get; set; } = null!;

    /// <summary>Offset of the IPv4 header in the arena.</summary>
    public int Start { get; set; }

    /// <summary>Bytes that are there from the IPv4 header on; fewer than the length where a capture cut the frame.</summary>
    public int CapturedBytes { get; set; }

    /// <summary>IPv4 total length in bytes.</summary>
    public int LengthBytes { get; set; }

    /// <summary>IPv4 header length in bytes.</summary>
    public int HeaderLengthBytes { get; set; }

    /// <summary>Source address.</summary>
    public uint Source { get; set; }

    /// <summary>Destination address.</summary>
    public uint Destination { get; set; }

    /// <summary>IP protocol.</summary>
    public IpProtocol Protocol { get; set; }

    /// <summary>Notes what is decided about the packet, or null for packets of the namespace's own.</summary>
    internal FastPath.DecisionRecorder? Recorder { get; init; }

    /// <summary>Index of the input frame in the batch that caused this packet, or -1.</summary>
    public int InputIndex { get; set; }

    /// <summary>Time, nanoseconds since the Unix epoch.</summary>
    public long Now { get; set; }

    /// <summary>The interface it came in by, or null for a packet of the namespace's own.</summary>
    public Stack.NetworkInterface? Input { get; set; }

    /// <summary>The interface it leaves by, once routed.</summary>
    public Stack.NetworkInterface? Output { get; set; }

    /// <summary>How the frame was addressed.</summary>
    public PacketCast Cast { get; set; }

    /// <summary>Next hop's address, once routed.</summary>
    public uint NextHop { get; set; }

    /// <summary>Whether the route it came in on ends here (RTCF_LOCAL).</summary>
    public bool IsRoutedToUs { get; set; }

    /// <summary>Firewall mark.</summary>
    public uint Fwmark { get; set; }

    /// <summary>Set once IPVS has handled the packet (skb->ipvs_property).</summary>
    public bool IsBalanced { get; set; }

    /// <summary>Fragment in spite of DF (skb->ignore_df): set by IPVS.</summary>
    public bool IgnoresDontFragment { get; set; }

    /// <summary>Largest fragment the packet was reassembled from, in bytes; 0 where it came whole.</summary>
    public int LargestFragmentBytes { get; set; }

    /// <summary>Where the fragments ended that the packet was reassembled from, in bytes of its payload.</summary>
    internal int[] FragmentEnds { get; } = new int[Stack.FragmentReassembler.FragmentsMax];

    /// <summary>Number of fragments it was reassembled from; 0 where it came whole.</summary>
    public int FragmentCount { get; set; }

    /// <summary>What conntrack says of it.</summary>
    public TrackInfo Track { get; set; }

    /// <summary>Direction in its connection, where it is tracked.</summary>
    public FlowDirection Direction { get; set; }

    /// <summary>Number of the connection record conntrack found, or -1 where the entry is <see cref="Pending"/> or there is none.</summary>
    public int Connection { get; set; }

    /// <summary>Whether <see cref="Pending"/> holds this packet's conntrack entry.</summary>
    public bool IsPending { get; set; }

    /// <summary>Whether the pending entry's source was bound (IPS_SRC_NAT_DONE).</summary>
    public bool IsSourceBound { get; set; }

    /// <summary>Whether the pending entry's destination was bound (IPS_DST_NAT_DONE).</summary>
    public bool IsDestinationBound { get; set; }

    /// <summary>Whether the connection is to be forgotten once the packet has left.</summary>
    public bool ForgetsConnection { get; set; }

    /// <summary>Number of the IPVS connection that decided, or -1: for explanations.</summary>
    public int BalancedBy { get; set; }

    /// <summary>Whether the transport checksum is the sender's unfinished pseudo-header sum (CHECKSUM_PARTIAL).</summary>
    public bool HasPartialChecksum { get; set; }

    /// <summary>Whether the packet stands for several on the wire: a super-packet of the sender's segmentation offload.</summary>
    public bool IsSuperPacket { get; set; }

    /// <summary>The bytes that are there, from the IPv4 header on.</summary>
    public Span<byte> Bytes => Batch.Slice(Start, CapturedBytes);

    /// <summary>The bytes that are there after the IPv4 header.</summary>
    public Span<byte> Transport => Batch.Slice(Start + HeaderLengthBytes, Math.Max(CapturedBytes - HeaderLengthBytes, 0));

    /// <summary>Length of the transport part by the IPv4 header, in bytes.</summary>
    public int TransportLengthBytes => LengthBytes - HeaderLengthBytes;

    /// <summary>Whether the IPv4 header says more fragments follow or an offset.</summary>
    public bool IsFragment => (BinaryPrimitives.ReadUInt16BigEndian(Bytes[6..]) & 0x3FFF) != 0;

    /// <summary>The DF bit.</summary>
    public bool IsDontFragment => (Bytes[6] & 0x40) != 0;

    /// <summary>Time to live.</summary>
    public byte TimeToLive => Bytes[8];

    /// <summary>Type of service byte.</summary>
    public byte TypeOfService => Bytes[1];

    /// <summary>Whether the first four bytes after the IPv4 header, the ports, are there.</summary>
    public bool HasPorts => CapturedBytes >= HeaderLengthBytes + 4 && LengthBytes >= HeaderLengthBytes + 4;

    /// <summary>Source port; <see cref="HasPorts"/> must hold.</summary>
    public ushort SourcePort => BinaryPrimitives.ReadUInt16BigEndian(Transport);

    /// <summary>Destination port; <see cref="HasPorts"/> must hold.</summary>
    public ushort DestinationPort => BinaryPrimitives.ReadUInt16BigEndian(Transport[2..]);

    /// <summary>Prepares for a packet whose IPv4 header begins at an offset of the arena and was validated.</summary>
    public void Begin(FrameBatch batch, int start, int capturedBytes, int inputIndex, long now)
    {
        if (!ReferenceEquals(Batch, batch))
        {
            // A reference is stored with a note for the collector: most packets come in the batch of the one before.
            Batch = batch;
        }

        Start = start;
        CapturedBytes = capturedBytes;
        InputIndex = inputIndex;
        Now = now;
        Input = null;
        Output = null;
        Cast = PacketCast.Host;
        NextHop = 0;
        IsRoutedToUs = false;
        Fwmark = 0;
        IsBalanced = false;
        IgnoresDontFragment = false;
        LargestFragmentBytes = 0;
        FragmentCount = 0;
        BalancedBy = -1;
        HasPartialChecksum = false;
        IsSuperPacket = false;
        Options = default;
        Recorder?.Clear();
        ClearTracking();
        ReadHeader();
    }

    /// <summary>Forgets what conntrack said.</summary>
    public void ClearTracking()
    {
        Track = TrackInfo.Untracked;
        Direction = FlowDirection.Original;
        Connection = -1;
        IsPending = false;
        IsSourceBound = false;
        IsDestinationBound = false;
        Vacancy.IsFree = false;
        ForgetsConnection = false;
    }

    /// <summary>
    /// Attaches an error of our own to the connection of the packet it is about, in the other direction (nf_conntrack_attach): the
    /// addresses it quotes may be translated already, so that they would not be found.
    /// </summary>
    public void RelateTo(Packet about)
    {
        if (about.Track != TrackInfo.Untracked && !about.IsPending && about.Connection >= 0)
        {
            Track = TrackInfo.Related;
            Connection = about.Connection;
            Direction = about.Direction == FlowDirection.Original ? FlowDirection.Reply : FlowDirection.Original;
        }
    }

    /// <summary>Reads lengths, addresses and protocol from the header.</summary>
    public void ReadHeader()
    {
        Span<byte> header = Batch.Slice(Start, Ipv4.HeaderLengthMinimum);
        HeaderLengthBytes = (header[0] & 15) * 4;
        LengthBytes = BinaryPrimitives.ReadUInt16BigEndian(header[2..]);
        Protocol = (IpProtocol)header[9];
        Source = BinaryPrimitives.ReadUInt32BigEndian(header[12..]);
        Destination = BinaryPrimitives.ReadUInt32BigEndian(header[16..]);
    }

    /// <summary>The key under which conntrack and IPVS know the packet's flow in this direction; ports must be there.</summary>
    public FlowKey PortKey(ushort network) => FlowKey.FromWords(
        Source | ((ulong)Destination << 32),
        BitOperations.RotateLeft(BinaryPrimitives.ReadUInt32BigEndian(Transport), 16) | ((ulong)Protocol << 32) | ((ulong)network << 48));
}
