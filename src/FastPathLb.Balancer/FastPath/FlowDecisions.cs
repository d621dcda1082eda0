using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using FastPathLb.Balancer.Ipvs;
using FastPathLb.Balancer.Stack;
using FastPathLb.Balancer.Tunnel;
using FastPathLb.Conntrack;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.FastPath;

/// <summary>
/// What the general path was seen to decide, by numbers that connections keep, and the headers it wrote. All of it is forgotten when
/// something changes by which packets are decided. Owned by one worker.
/// </summary>
internal sealed class FlowDecisions
{
    private const int LinksMax = 1 << 14;
    private const int DecisionsMin = 1024;
    private const int DecisionsMax = ushort.MaxValue;

    private readonly NetworkNamespace _space;
    private readonly NetworkInterface _device;
    private readonly ConnectionTable _table;
    private readonly Uplink? _uplink;
    private readonly OverlayNetwork? _network;
    private readonly LinkHeader[] _links = new LinkHeader[LinksMax];
    private readonly Dictionary<uint, int> _linkOf = new(LinksMax);
    private readonly Dictionary<int, int> _decisionOf = new(1024);
    private readonly ushort[] _unsettled = new ushort[FrameBatch.CountMax];
    private FlowDecision[] _decisions = new FlowDecision[DecisionsMin];
    private int _unsettledCount;
    private int _decisionCount = 1;
    private int _linkCount = 1;
    private long _configuration = long.MinValue;
    private long _learned = long.MinValue;
    private long _servers = long.MinValue;

    /// <summary>Makes an empty book for an interface, at the underlay where an uplink is given.</summary>
    public FlowDecisions(NetworkNamespace space, NetworkInterface device, Uplink? uplink, OverlayNetwork? network)
    {
        _space = space;
        _device = device;
        _table = space.Connections;
        _uplink = uplink;
        _network = network;
        _space.IcmpErrors.Settle = SettleRedirects;
        _decisions[0] = FlowDecision.None;
        Generation = FirstGeneration;
    }

    /// <summary>What connections carry that were noted since something changed: other numbers are forgotten ones.</summary>
    public ushort Generation { get; private set; }

    /// <summary>The same for what is noted outside of connections, by a number from 1 on that never comes again.</summary>
    public long Version { get; private set; } = 1;

    /// <summary>Decisions by number; at 0 is <see cref="FlowDecision.None"/>.</summary>
    public FlowDecision[] Decisions => _decisions;

    /// <summary>Headers by number; 0 means none.</summary>
    public LinkHeader[] Links => _links;

    /// <summary>
    /// Generations of workers that share a table are never the same: that of another's connection does not fit, without a look at
    /// whose it is.
    /// </summary>
    private ushort FirstGeneration => (ushort)(_table.Worker + 1);

    /// <summary>Forgets what was decided under another configuration.</summary>
    public void CheckConfiguration()
    {
        long configuration = _space.ConfigurationVersion;
        if (configuration != _configuration)
        {
            _configuration = configuration;
            Forget();
        }

        if (_servers != _space.Ipvs.ServersVersion)
        {
            _servers = _space.Ipvs.ServersVersion;
            for (int number = 1; number < _decisionCount; number++)
            {
                _decisions[number].CheckServer();
            }
        }
    }

    /// <summary>Forgets what was decided where the last frame taught something about the network.</summary>
    public void CheckLearned()
    {
        long learned = _space.Neighbors.Version + _space.PathMtus.Version + (_network is null ? 0 : _network.Fdb.Version + _uplink!.Neighbors.Version);
        if (learned != _learned)
        {
            _learned = learned;
            Forget();
        }
    }

    /// <summary>Counts a packet that was decided so. Whether its sender is to be redirected is counted by <see cref="CountRedirect"/>.</summary>
    /// <param name="number">The decision's number.</param>
    /// <param name="decision">The decision.</param>
    /// <param name="lengthBytes">The packet's length.</param>
    /// <param name="now">Time, nanoseconds since the Unix epoch.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Count(ushort number, FlowDecision decision, int lengthBytes, long now)
    {
        if (decision.Packets == 0)
        {
            // No batch has more frames, and each is the first of one decision at most.
            _unsettled[_unsettledCount++] = number;
        }

        decision.Packets++;
        decision.Bytes += lengthBytes;
        decision.Latest = now;
    }

    /// <summary>Whether <see cref="CountRedirect"/> has to be called for a packet that was decided so.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsRedirectDue(FlowDecision decision, long now, long peersVersion) =>
        decision.HasRedirect && (now >= decision.RedirectDue || decision.RedirectVersion != peersVersion);

    /// <summary>Counts that the sender of a packet is to be redirected, where it is due.</summary>
    public void CountRedirect(FlowDecision decision, long now)
    {
        IcmpErrors errors = _space.IcmpErrors;
        if (IsRedirectDue(decision, now, errors.PeersVersion))
        {
            decision.RedirectDue = errors.CountRedirect(decision.Redirected, now, out _);
            decision.RedirectVersion = errors.PeersVersion;
        }
    }

    /// <summary>Brings counters up to date.</summary>
    public void Settle()
    {
        SettleRedirects();
        for (int index = 0; index < _unsettledCount; index++)
        {
            _decisions[_unsettled[index]].Settle();
        }

        _unsettledCount = 0;
    }

    /// <summary>The headers towards a packet's next hop, noted where they are new.</summary>
    /// <returns>Their number, or 0 where they cannot be noted.</returns>
    public int LinkTo(Packet packet, FrameBatch batch, int start)
    {
        if (!ReferenceEquals(packet.Output, _device))
        {
            return 0;
        }

        if (_linkOf.TryGetValue(packet.NextHop, out int known))
        {
            return known;
        }

        if (_linkCount == LinksMax)
        {
            return 0;
        }

        int number = _linkCount++;
        _linkOf.Add(packet.NextHop, number);
        ref LinkHeader link = ref _links[number];
        bool isTunnelled = _network is not null;
        int available = isTunnelled ? LinkHeader.SizeBytes : LinkHeader.EthernetBytes;
        Span<byte> headers = stackalloc byte[LinkHeader.SizeBytes];
        headers.Clear();
        batch.Slice(start - available, available).CopyTo(headers[(LinkHeader.SizeBytes - available)..]);
        link.Take(headers, isTunnelled);
        if (isTunnelled && _network!.IsKnown(MacAddress.Read(headers[50..]), BinaryPrimitives.ReverseEndianness(link.Vtep)))
        {
            link.NoteKnownSource();
        }

        return number;
    }

    /// <summary>The decision that was taken about a packet, noted where it is new.</summary>
    /// <param name="server">The server it goes to, or comes from.</param>
    /// <param name="isReply">Whether it comes from there.</param>
    /// <param name="recorder">What was counted.</param>
    /// <param name="link">Headers towards the server.</param>
    /// <param name="output">The interface it left by.</param>
    /// <returns>Its number, or 0 where it cannot be noted.</returns>
    public int DecisionFor(RealServer server, bool isReply, DecisionRecorder recorder, int link, NetworkInterface output)
    {
        int lengthMax = Math.Min(Math.Min(_device.MtuBytes, output.MtuBytes), ushort.MaxValue - LinkHeader.SizeBytes);
        if (!_space.PathMtus.IsEmpty)
        {
            // What may be too long for some path goes the general way.
            lengthMax = Math.Min(lengthMax, PathMtuTable.BytesMin);
        }

        int key = (server.Number << 1) | (isReply ? 1 : 0);
        _decisionOf.TryGetValue(key, out int first);
        for (int number = first; number != 0; number = _decisions[number].Next)
        {
            if (_decisions[number].IsFor(recorder, link, lengthMax))
            {
                return number;
            }
        }

        if (_decisionCount > DecisionsMax)
        {
            return 0;
        }

        if (_decisionCount == _decisions.Length)
        {
            Array.Resize(ref _decisions, _decisions.Length * 2);
        }

        _decisions[_decisionCount] = new FlowDecision(server, isReply, recorder.Counters)
        {
            Link = link,
            LengthMaxBytes = lengthMax,
            HasRedirect = recorder.HasRedirect,
            Redirected = recorder.Redirected,
            Next = first,
        };
        _decisions[_decisionCount].CheckServer();
        _decisionOf[key] = _decisionCount;
        return _decisionCount++;
    }

    private void SettleRedirects()
    {
        for (int index = 0; index < _unsettledCount; index++)
        {
            FlowDecision decision = _decisions[_unsettled[index]];
            if (decision.HasRedirect)
            {
                _space.IcmpErrors.HearRedirected(decision.Redirected, decision.Latest);
            }
        }
    }

    private void Forget()
    {
        Settle();
        Array.Clear(_decisions, 1, _decisionCount - 1);
        _decisionCount = 1;
        _decisionOf.Clear();
        _linkOf.Clear();
        _linkCount = 1;
        int next = Generation + _table.Store.Workers;
        if (next > ushort.MaxValue)
        {
            // Once in 65,535 changes, less with several workers: numbers of the first generation must not come back.
            for (int number = 0; number < _table.NumbersUsed; number++)
            {
                if (!_table.IsForeign(number))
                {
                    _table[number].DecisionGeneration = 0;
                }
            }

            next = FirstGeneration;
        }

        Generation = (ushort)next;
        Version++;
    }
}
