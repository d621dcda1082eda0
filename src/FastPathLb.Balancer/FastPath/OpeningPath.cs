using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastPathLb.Balancer.Ipvs;
using FastPathLb.Balancer.Stack;
using FastPathLb.Balancer.Tunnel;
using FastPathLb.Conntrack;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.FastPath;

/// <summary>
/// The short way of a connection's first packet. Rules, routes and headers come out as for the last connection to that address and
/// port, where no rule on the way looked at who sends; what remains is what makes a connection: conntrack's entry, the scheduler's
/// pick, IPVS's entry, the translated source, timers. That is done by the general path's own methods, in the connection's record.
/// </summary>
internal sealed class OpeningPath
{
    private const int NotesMax = 256;
    private const int SourcesMax = 256;
    private const ulong MacMask = 0xFFFF_FFFF_FFFF;

    private readonly NetworkNamespace _space;
    private readonly NetworkInterface _device;
    private readonly ConnectionTable _table;
    private readonly IpvsCore _ipvs;
    private readonly OverlayNetwork? _network;
    private readonly FlowDecisions _decisions;
    private readonly OpeningForecast _forecast;
    private readonly OpeningNote[] _notes = new OpeningNote[NotesMax];
    private readonly KnownSource[] _sources = new KnownSource[SourcesMax];

    public OpeningPath(NetworkNamespace space, NetworkInterface device, OverlayNetwork? network, FlowDecisions decisions, OpeningForecast forecast)
    {
        _forecast = forecast;
        _space = space;
        _device = device;
        _table = space.Connections;
        _ipvs = space.Ipvs;
        _network = network;
        _decisions = decisions;
        for (int index = 0; index < _notes.Length; index++)
        {
            // All at the start: whoever calls port after port makes a note of each.
            _notes[index] = new OpeningNote();
        }
    }

    /// <summary>Who sent packets that were let in and taught nothing, under which configuration.</summary>
    private struct KnownSource
    {
        public ulong Mac;
        public uint Vtep;
        public uint Address;
        public long Version;
    }

    /// <summary>Opens the connection of a packet whose flow nobody knows, and counts the packet.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="shape">What the packet looks like; connection and next hop are noted there.</param>
    /// <param name="place">The place of its key in the index, where one is known.</param>
    /// <param name="now">Time, nanoseconds since the Unix epoch.</param>
    /// <param name="dropped">Why the packet goes no further, or none.</param>
    /// <returns><see langword="false"/> where the general path must see the packet: then nothing was changed.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public bool TryOpen(FrameBatch batch, ref FrameShape shape, IndexVacancy place, long now, out DropReason dropped)
    {
        dropped = DropReason.None;
        FlowKey key = shape.Key;
        OpeningNote note = _notes[SlotOf(key)];
        if (!note.IsFor(key, _decisions.Version) || !note.IsComplete()
            || shape.LengthBytes > note.LengthMaxBytes || !IsOrdinary(key) || !IsSourceKnown(batch, shape, key.Source))
        {
            return false;
        }

        int noted = Decide(note, key);
        int number = noted == 0 ? -1 : _table.Allocate();
        if (number < 0)
        {
            return false;
        }

        ref Connection connection = ref _table[number];
        connection.Original = key;
        bool isDatagram = shape.Kind == FrameKind.Datagram;
        ref byte header = ref Unsafe.Add(ref MemoryMarshal.GetReference(batch.Arena), shape.Start + Ipv4.HeaderLengthMinimum);
        if (!IsIndexed(place, ref connection, number, shape.Hash)
            || !_space.Tracker.TryBegin(ref connection, isDatagram, ref header, shape.LengthBytes - Ipv4.HeaderLengthMinimum, now))
        {
            _table.UnindexOriginal(number);
            _table.Release(number);
            return false;
        }

        FlowDecision decision = _decisions.Decisions[noted];
        dropped = _ipvs.Input.OpenAsNoted(ref connection, number, decision.Server, note.SourceRule, _device, isDatagram, now);
        if (FlowDecisions.IsRedirectDue(decision, now, _space.IcmpErrors.PeersVersion))
        {
            _decisions.CountRedirect(decision, now);
        }

        _decisions.Count((ushort)noted, decision, shape.LengthBytes, now);
        shape.Entry = new IndexEntry(number, FlowDirection.Original);
        shape.Link = (ushort)decision.Link;
        return true;
    }

    /// <summary>Notes what the general path decided about a first packet that it sent on as it came in.</summary>
    /// <param name="shape">What the frame looked like.</param>
    /// <param name="batch">The batch.</param>
    /// <param name="packet">The packet as it left.</param>
    public void Learn(in FrameShape shape, FrameBatch batch, Packet packet)
    {
        const ConnectionFlags FlagsThatMatter = ConnectionFlags.Tracked | ConnectionFlags.Balanced | ConnectionFlags.OwnsConntrack
            | ConnectionFlags.OnePacket | ConnectionFlags.Template;
        ref Connection connection = ref _table[packet.Connection];
        RealServer server = _ipvs.Servers[connection.Server];
        VirtualService service = server.Service;
        if (!packet.IsSourceBound || packet.Recorder is not { IsIncomplete: false, HasLookedAtSource: false, HasDestinationRule: false } recorder
            || (connection.Flags & FlagsThatMatter) != (ConnectionFlags.Tracked | ConnectionFlags.Balanced | ConnectionFlags.OwnsConntrack)
            || connection.Control != 0 || !server.IsMasqueraded)
        {
            return;
        }

        int link = _decisions.LinkTo(packet, batch, shape.Start);
        int decision = link == 0 ? 0 : _decisions.DecisionFor(server, isReply: false, recorder, link, packet.Output!);
        if (decision == 0)
        {
            return;
        }

        FlowKey key = shape.Key;
        OpeningNote note = _notes[SlotOf(key)];
        if (!note.IsFor(key, _decisions.Version) || !ReferenceEquals(note.Service, service)
            || !ReferenceEquals(note.SourceRule, recorder.SourceRule))
        {
            note.Begin(key, _decisions.Version, service, recorder.SourceRule);
        }

        note.Add(server, decision, _decisions.Decisions[decision].LengthMaxBytes);
    }

    /// <summary>Picks a server for a first packet.</summary>
    /// <remarks>
    /// Schedulers leave no trace of having nobody: the general path tells the client. The record fails after a pick only where another
    /// worker was faster, or the index has no slot in reach; then one server misses a turn.
    /// </remarks>
    /// <returns>The number of what was decided about packets to the server, or 0.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Decide(OpeningNote note, FlowKey key)
    {
        VirtualService service = note.Service!;
        int picked = service.Pick(key.Source, key.SourcePort, key.Destination);
        if (picked < 0)
        {
            return 0;
        }

        if (service.Leader is not null && !service.HasClaims)
        {
            _forecast.Prefetch(key, _ipvs.Servers[picked]);
        }

        return note.DecisionFor(picked);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool IsIndexed(IndexVacancy place, ref Connection connection, int number, ulong hash) =>
        (place.IsNone ? _table.IndexOriginal(number, hash) : _table.IndexOriginalAt(place, ref connection, number, hash)) == IndexInsert.Done;

    private static int SlotOf(FlowKey key) =>
        (int)(((key.Destination ^ ((uint)key.DestinationPort << 16) ^ (uint)key.Protocol) * 0x9E3779B1) >> 24);

    /// <summary>Whether nothing that no rule tells of makes a packet's way another than that of others to the same address.</summary>
    private bool IsOrdinary(FlowKey key) =>
        key.SourcePort != IpvsScheduling.FtpDataPort && !_ipvs.Settings.DropsPackets && !_ipvs.NeedsWholeTable && _table.HasRoom
        && !(_table.HasIpvsReplies && _ipvs.Connections.IsReply(key));

    /// <summary>Whether the namespace, and at the underlay bridge and VXLAN device, let the sender's packets in and learn nothing from them.</summary>
    private bool IsSourceKnown(FrameBatch batch, in FrameShape shape, uint address)
    {
        ulong mac = 0;
        uint vtep = 0;
        if (_network is not null)
        {
            ref byte packet = ref Unsafe.Add(ref MemoryMarshal.GetReference(batch.Arena), shape.Start);
            mac = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref packet, -8)) & MacMask;
            vtep = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref packet, -LinkHeader.VtepBytesBefore));
        }

        ref KnownSource known = ref _sources[(int)((address * 0x9E3779B1) >> 24)];
        if (known.Address == address && known.Mac == mac && known.Vtep == vtep && known.Version == _decisions.Version)
        {
            return true;
        }

        return IsSourceFound(address, mac, vtep, ref known);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool IsSourceFound(uint address, ulong mac, uint vtep, ref KnownSource known)
    {
        // Without an address one may ask everybody at once, and nobody else.
        if (address == 0 || _space.IsMartianSource(address, destination: 0)
            || (_network is not null && !_network.IsKnown(
                new MacAddress(BinaryPrimitives.ReverseEndianness(mac) >> 16), BinaryPrimitives.ReverseEndianness(vtep))))
        {
            return false;
        }

        known = new KnownSource { Mac = mac, Vtep = vtep, Address = address, Version = _decisions.Version };
        return true;
    }
}
