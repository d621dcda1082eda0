using System.Buffers.Binary;
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

    private readonly NetworkNamespace _space;
    private readonly Packet _packet = new();
    private readonly Dictionary<uint, Peer> _peers = new(PeersMax);
    private long _globalCredit;
    private long _globalStamp;
    private ushort _identification;

    internal IcmpErrors(NetworkNamespace space) => _space = space;

    private struct Peer
    {
        public long Tokens;
        public long Last;
    }

    /// <summary>Least time between errors to one destination, milliseconds (net.ipv4.icmp_ratelimit); bursts of six are let out.</summary>
    public int PerDestinationMilliseconds { get; set; } = 1000;

    /// <summary>Most errors a second to all (net.ipv4.icmp_msgs_per_sec).</summary>
    public int PerSecondMax { get; set; } = 1000;

    /// <summary>Most errors at once to all (net.ipv4.icmp_msgs_burst).</summary>
    public int BurstMax { get; set; } = 50;

    /// <summary>Errors that a rate limit held back.</summary>
    public long RateLimited { get; private set; }

    /// <summary>Tells the sender of a packet what became of it.</summary>
    /// <returns>Whether the error was sent.</returns>
    internal bool Send(Packet about, IcmpType type, byte code, uint information)
    {
        if (about.Cast != PacketCast.Host || _space.IsBroadcastAddress(about.Destination) || about.Destination >> 28 == 0xE
            || (BinaryPrimitives.ReadUInt16BigEndian(about.Bytes[Ipv4.FragmentOffset..]) & Ipv4.FragmentOffsetMask) != 0
            || IsAboutError(about))
        {
            return false;
        }

        Route? route = _space.FindRoute(about.Source);
        if (route is null)
        {
            return false;
        }

        bool isLimited = (RateMask & (1u << (int)type)) != 0;
        if (isLimited && !(IsGlobalAllowed(about.Now) && IsPeerAllowed(about.Source, about.Now)))
        {
            RateLimited++;
            return false;
        }

        uint source = about.IsRoutedToUs ? about.Destination : PreferredSource(route);
        Emit(about, route, source, type, code, information);
        return true;
    }

    private static uint PreferredSource(Route route) =>
        route.PreferredSource != 0 ? route.PreferredSource : route.Interface.PrimaryAddress;

    private static bool IsAboutError(Packet about)
    {
        if (about.Protocol != IpProtocol.Icmp)
        {
            return false;
        }

        Span<byte> message = about.Transport;
        return message.IsEmpty || message[0] > Icmp.HighestType || Icmp.IsError((IcmpType)message[0]);
    }

    private void Emit(Packet about, Route route, uint source, IcmpType type, byte code, uint information)
    {
        int quoted = Math.Min(
            about.LengthBytes, Math.Min(route.Interface.MtuBytes, DatagramBytesMax) - Ipv4.HeaderLengthMinimum - Icmp.HeaderBytes);
        quoted = Math.Min(quoted, about.CapturedBytes);
        int length = Ipv4.HeaderLengthMinimum + Icmp.HeaderBytes + quoted;
        FrameBatch batch = about.Batch;
        int offset = batch.RentOutput(LinkInput.EthernetHeaderBytes + length) + LinkInput.EthernetHeaderBytes;
        Span<byte> bytes = batch.Slice(offset, length);
        byte typeOfService = (byte)((about.TypeOfService & TypeOfServiceMask) | InternetworkControl);
        WriteHeader(bytes, typeOfService, (ushort)length, ++_identification, IpProtocol.Icmp, source, about.Source);

        Span<byte> message = bytes[Ipv4.HeaderLengthMinimum..];
        message[0] = (byte)type;
        message[1] = code;
        message[2] = 0;
        message[3] = 0;
        BinaryPrimitives.WriteUInt32BigEndian(message[4..], information);
        about.Bytes[..quoted].CopyTo(message[Icmp.HeaderBytes..]);
        BinaryPrimitives.WriteUInt16BigEndian(message[Icmp.ChecksumOffset..], InternetChecksum.Compute(message));

        _packet.Begin(batch, offset, length, about.InputIndex, about.Now);
        _packet.Output = route.Interface;
        _packet.NextHop = route.Via != 0 ? route.Via : about.Source;
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

    /// <summary>icmp_global_allow: a token bucket filled once in 20 ms at the most.</summary>
    private bool IsGlobalAllowed(long now)
    {
        long jiffies = now / JiffyNanoseconds;
        long delta = Math.Min(jiffies - _globalStamp, JiffiesPerSecond);
        if (delta >= JiffiesPerSecond / 50)
        {
            long increment = PerSecondMax * delta / JiffiesPerSecond;
            if (increment > 0)
            {
                _globalStamp = jiffies;
                _globalCredit = Math.Min(_globalCredit + increment, BurstMax);
            }
        }

        if (_globalCredit <= 0)
        {
            return false;
        }

        _globalCredit--;
        return true;
    }

    /// <summary>inet_peer_xrlim_allow: a token bucket per destination.</summary>
    private bool IsPeerAllowed(uint destination, long now)
    {
        long jiffies = now / JiffyNanoseconds;
        long timeout = PerDestinationMilliseconds * JiffiesPerSecond / 1000;
        if (!_peers.TryGetValue(destination, out Peer peer))
        {
            if (_peers.Count >= PeersMax)
            {
                _peers.Clear();
            }

            peer.Last = jiffies - (60 * JiffiesPerSecond);
        }

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
}
