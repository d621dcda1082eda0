using System.Buffers.Binary;
using FastPathLb.Conntrack;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Stack;

/// <summary>ICMP errors that the namespace sends (__icmp_send in net/ipv4/icmp.c), within Linux's rate limits.</summary>
public sealed class IcmpErrors
{
    private const int DatagramBytesMax = 576;
    private const byte InternetworkControl = 0xC0;
    private const byte TypeOfServiceMask = 0x1E;
    private const uint RateMask = 0x1818;
    private const long JiffyNanoseconds = 4_000_000;
    private const long JiffiesPerSecond = 250;
    private const int BurstFactor = 6;
    private const int PeersMax = 4096;
    private const long LoadJiffies = JiffiesPerSecond / 50;
    private const int RedirectsMax = 9;
    private const long SilenceJiffies = LoadJiffies << (RedirectsMax + 1);

    private readonly NetworkNamespace _space;
    private readonly Packet _packet = new();
    private readonly Dictionary<uint, Peer> _peers = new(PeersMax);
    private long _globalCredit;
    private long _globalStamp;
    private long _leastCredit;
    private long _leastStamp;

    internal IcmpErrors(NetworkNamespace space) => _space = space;

    private struct Peer
    {
        public long Tokens;
        public long Last;
        public int Redirects;
    }

    /// <summary>Least time between errors to one destination, milliseconds (net.ipv4.icmp_ratelimit); bursts of six are let out.</summary>
    public int PerDestinationMilliseconds { get; set; } = 1000;

    /// <summary>Most errors a second to all (net.ipv4.icmp_msgs_per_sec).</summary>
    public int PerSecondMax { get; set; } = 1000;

    /// <summary>Most errors at once to all (net.ipv4.icmp_msgs_burst).</summary>
    public int BurstMax { get; set; } = 50;

    /// <summary>
    /// Whether a recording has an error about a packet: asked where the kernel decides by chance. Null where there is no recording.
    /// </summary>
    public RecordedErrors? Recorded { get; set; }

    /// <summary>How often what is counted of a sender's redirects was changed, but for when it was last heard.</summary>
    internal long PeersVersion { get; private set; }

    /// <summary>Brings up to date what is noted of senders, before it is read; null where nothing is noted elsewhere.</summary>
    internal Action? Settle { get; set; }

    /// <summary>Errors that a rate limit held back.</summary>
    public long RateLimited { get; private set; }

    /// <summary>Tells the sender of a packet what became of it.</summary>
    /// <returns>Whether the error was sent.</returns>
    internal bool Send(Packet about, IcmpType type, byte code, uint information)
    {
        if (about.Cast != PacketCast.Host || _space.IsBroadcastAddress(about.Destination) || about.Destination >> 28 == 0xE
            || (BinaryPrimitives.ReadUInt16BigEndian(about.Bytes[Ipv4.FragmentOffset..]) & Ipv4.FragmentOffsetMask) != 0
            || IsAboutError(about) || Ipv4Options.EchoedLength(about) < 0)
        {
            return false;
        }

        // The sender may be an address of our own, where IPVS put it there: then the error ends here, or IPVS passes it on.
        bool isToUs = _space.IsLocalAddress(about.Source);
        Route? route = isToUs ? null : _space.FindRoute(about.Source);
        if (route is null && !isToUs)
        {
            return false;
        }

        bool isLimited = (RateMask & (1u << (int)type)) != 0
            && !(type == IcmpType.DestinationUnreachable && code == Icmp.FragmentationNeeded);
        if (isLimited && !(IsGlobalAllowed(about.Bytes, type, about.Now) && (isToUs || IsPeerAllowed(about.Source, about.Now))))
        {
            RateLimited++;
            return false;
        }

        if (isLimited)
        {
            _globalCredit--;
            _leastCredit -= 2;
        }

        uint source = about.IsRoutedToUs ? about.Destination : route is null ? about.Source : route.SourceAddress;
        Emit(about, route, source, type, code, information);
        return true;
    }

    /// <summary>
    /// Tells the sender of a forwarded packet that its next hop is on its own link (ip_rt_send_redirect): ever more seldom, and
    /// not at all after nine that were ignored. A packet whose connection is not confirmed yet, or translated, causes none that
    /// would be seen (nf_nat_icmp_reply_translation), but is counted.
    /// </summary>
    internal void SendRedirect(Packet about)
    {
        CountRedirect(about.Source, about.Now, out bool isSent);
        if (isSent && about.Track != TrackInfo.Untracked && !about.IsPending
            && (_space.Tracker.EntryOf(about).Flags & (ConnectionFlags.SourceNat | ConnectionFlags.DestinationNat)) == 0)
        {
            Send(about, IcmpType.Redirect, Icmp.RedirectHost, about.NextHop);
        }
    }

    /// <summary>Counts a forwarded packet that calls for a redirect.</summary>
    /// <param name="source">Who sent it.</param>
    /// <param name="now">When, nanoseconds since the Unix epoch.</param>
    /// <param name="isSent">Whether the redirect may be sent.</param>
    /// <returns>
    /// The first moment at which another packet of this sender changes more than when it was last heard, nanoseconds since the Unix
    /// epoch; as long as <see cref="PeersVersion"/> stays.
    /// </returns>
    internal long CountRedirect(uint source, long now, out bool isSent)
    {
        long jiffies = now / JiffyNanoseconds;
        Peer peer = PeerOf(source, jiffies);
        if (jiffies > peer.Last + SilenceJiffies)
        {
            peer.Tokens = 0;
            peer.Redirects = 0;
        }

        isSent = false;
        if (peer.Redirects >= RedirectsMax)
        {
            peer.Last = jiffies;
        }
        else if (peer.Redirects == 0 || jiffies > peer.Last + (LoadJiffies << peer.Redirects))
        {
            peer.Last = jiffies;
            peer.Redirects++;
            PeersVersion++;
            isSent = true;
        }

        _peers[source] = peer;
        long wait = peer.Redirects >= RedirectsMax ? SilenceJiffies : LoadJiffies << peer.Redirects;
        return (peer.Last + wait + 1) * JiffyNanoseconds;
    }

    /// <summary>Notes when a sender was last heard, where it ignored so many redirects that nothing else is counted of it.</summary>
    internal void HearRedirected(uint source, long last)
    {
        if (_peers.TryGetValue(source, out Peer peer) && peer.Redirects >= RedirectsMax)
        {
            peer.Last = last / JiffyNanoseconds;
            _peers[source] = peer;
        }
    }

    private int MtuOf(Packet about, Route? route) =>
        route is null ? DatagramBytesMax : _space.PathMtus.Of(about.Source, route.Interface, about.Now);

    private static bool IsAboutError(Packet about)
    {
        if (about.Protocol != IpProtocol.Icmp)
        {
            return false;
        }

        Span<byte> message = about.Transport;
        return message.IsEmpty || message[0] > Icmp.HighestType || Icmp.IsError((IcmpType)message[0]);
    }

    private void Emit(Packet about, Route? route, uint source, IcmpType type, byte code, uint information)
    {
        int header = Ipv4.HeaderLengthMinimum + Ipv4Options.EchoedLength(about);
        int quoted = Math.Min(
            about.LengthBytes, Math.Min(MtuOf(about, route), DatagramBytesMax) - header - Icmp.HeaderBytes);
        quoted = Math.Min(quoted, about.CapturedBytes);
        int length = header + Icmp.HeaderBytes + quoted;
        FrameBatch batch = about.Batch;
        int offset = batch.RentOutput(LinkInput.EthernetHeaderBytes + length) + LinkInput.EthernetHeaderBytes;
        Span<byte> bytes = batch.Slice(offset, length);
        byte typeOfService = (byte)((about.TypeOfService & TypeOfServiceMask) | InternetworkControl);
        ushort identification = _space.NextIdentification(source, about.Source, IpProtocol.Icmp, (byte)type);
        WriteHeader(bytes, typeOfService, (ushort)length, identification, IpProtocol.Icmp, source, about.Source);
        Ipv4Options.Echo(about, _space, bytes, about.Now);

        Span<byte> message = bytes[header..];
        message[0] = (byte)type;
        message[1] = code;
        message[2] = 0;
        message[3] = 0;
        BinaryPrimitives.WriteUInt32BigEndian(message[4..], information);
        about.Bytes[..quoted].CopyTo(message[Icmp.HeaderBytes..]);
        BinaryPrimitives.WriteUInt16BigEndian(message[Icmp.ChecksumOffset..], InternetChecksum.Compute(message));

        _packet.Begin(batch, offset, length, about.InputIndex, about.Now);
        if (route is not null)
        {
            _packet.Output = route.Interface;
            _packet.NextHop = route.Via != 0 ? route.Via : about.Source;
        }

        _packet.RelateTo(about);
        _space.Output.SendLocal(_packet);
    }

    internal static void WriteHeader(
        Span<byte> bytes, byte typeOfService, ushort length, ushort identification, IpProtocol protocol, uint source,
        uint destination)
    {
        bytes[0] = 0x45;
        bytes[1] = typeOfService;
        BinaryPrimitives.WriteUInt16BigEndian(bytes[Ipv4.TotalLengthOffset..], length);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[Ipv4.IdentificationOffset..], identification);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[Ipv4.FragmentOffset..], 0);
        bytes[Ipv4.TimeToLiveOffset] = Ipv4.TimeToLiveDefault;
        bytes[Ipv4.ProtocolOffset] = (byte)protocol;
        BinaryPrimitives.WriteUInt32BigEndian(bytes[Ipv4.SourceOffset..], source);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[Ipv4.DestinationOffset..], destination);
        Ipv4.WriteChecksum(bytes);
    }

    /// <summary>
    /// icmp_global_allow and icmp_global_consume: a token bucket, filled when it is empty and once in 20 ms at the most. The
    /// kernel takes 0 to 2 tokens for an error, by chance; here it is always one. A recording is asked where chance decides: when
    /// two tokens each would have emptied the bucket.
    /// </summary>
    private bool IsGlobalAllowed(ReadOnlySpan<byte> quoted, IcmpType type, long now)
    {
        long jiffies = now / JiffyNanoseconds;
        bool isSurelyAllowed = Refill(ref _leastCredit, ref _leastStamp, jiffies);
        bool isAllowed = Refill(ref _globalCredit, ref _globalStamp, jiffies);
        return isSurelyAllowed || (Recorded is { } recorded ? recorded(quoted, type, now) : isAllowed);
    }

    private bool Refill(ref long credit, ref long stamp, long jiffies)
    {
        if (credit > 0)
        {
            return true;
        }

        long delta = Math.Min(jiffies - stamp, JiffiesPerSecond);
        long increment = delta < JiffiesPerSecond / 50 ? 0 : PerSecondMax * delta / JiffiesPerSecond;
        if (increment <= 0)
        {
            return false;
        }

        stamp = jiffies;
        credit = Math.Min(credit + increment, BurstMax);
        return true;
    }

    /// <summary>inet_peer_xrlim_allow: a token bucket per destination.</summary>
    private bool IsPeerAllowed(uint destination, long now)
    {
        long jiffies = now / JiffyNanoseconds;
        long timeout = PerDestinationMilliseconds * JiffiesPerSecond / 1000;
        Peer peer = PeerOf(destination, jiffies);
        peer.Tokens = Math.Min(peer.Tokens + (jiffies - peer.Last), BurstFactor * timeout);
        peer.Last = jiffies;
        bool isAllowed = peer.Tokens >= timeout;
        if (isAllowed)
        {
            peer.Tokens -= timeout;
        }

        _peers[destination] = peer;
        return isAllowed;
    }

    /// <summary>What is known of a sender (inetpeer).</summary>
    private Peer PeerOf(uint address, long jiffies)
    {
        Settle?.Invoke();
        if (_peers.TryGetValue(address, out Peer peer))
        {
            return peer;
        }

        if (_peers.Count >= PeersMax)
        {
            _peers.Clear();
            PeersVersion++;
        }

        return new Peer { Last = jiffies - (60 * JiffiesPerSecond) };
    }
}
