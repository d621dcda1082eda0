using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastPathLb.Balancer.Ipvs;
using FastPathLb.Balancer.Netfilter;
using FastPathLb.Conntrack;

namespace FastPathLb.Balancer.FastPath;

/// <summary>
/// Asks for the memory that opening a connection will need. A new connection's second key is known only when its server is picked
/// and its source translated, too late to wait for; but the scheduler can tell whom it will pick, and connections to one virtual
/// address are translated alike. A wrong forecast costs a fetch and changes nothing.
/// </summary>
internal sealed class OpeningForecast
{
    private const int EntriesMax = 64;
    private const int SeenMax = 256;

    // Keys that are looked for in a row. Ports are taken one after the other from where one was drawn, so that runs of taken ones grow
    // long; but after a few, whoever is still looking waits nearly alone, and may as well do so where the port is taken.
    private const int AttemptsMax = 32;
    private const int AttemptsForAnybody = 4;
    private const int WaitersWorthwhile = 3;

    private readonly LookAhead _ahead;
    private readonly AddressTranslator _translator;
    private readonly Entry[] _entries = new Entry[EntriesMax];
    private readonly Expected[] _expected = new Expected[EstablishedPath.FramesAtOnceMax];
    private readonly ulong[] _seen = new ulong[SeenMax];
    private int _expectedCount;
    private int _round;
    private int _claims;

    // Kept for nobody: else the compiler might leave the loads out.
    private ulong _touched;

    public OpeningForecast(ConnectionTable table, AddressTranslator translator)
    {
        _ahead = table.LookAhead;
        _translator = translator;
    }

    private struct Entry
    {
        public uint VirtualAddress;
        public uint TranslatedSource;
        public VirtualService Service;
        public int Round;
        public int Picks;
        public int PicksBefore;
    }

    private struct Expected
    {
        public FlowKey Reply;
        public ulong Hash;
        public uint Line;
        public bool IsRepeated;
        public int Holder;
    }

    /// <summary>Notes where a connection was opened to, and as whom.</summary>
    public void Learn(in Connection connection, RealServer server)
    {
        ref Entry entry = ref EntryOf(connection.Original.Destination);
        entry.VirtualAddress = connection.Original.Destination;
        entry.TranslatedSource = connection.Reply.Destination;
        if (!ReferenceEquals(entry.Service, server.Service))
        {
            entry.Service = server.Service;
        }
    }

    /// <summary>Begins with the next frames.</summary>
    /// <param name="followsOthers">Whether those before, which were asked for at the last time, are not opened yet.</param>
    /// <param name="claims">How many picks to claim at a time: see <see cref="VirtualService.Forecast"/>.</param>
    public void Begin(bool followsOthers, int claims)
    {
        _claims = claims;
        _expectedCount = 0;
        _round += followsOthers ? 1 : 2;
    }

    /// <summary>Asks for the index line in which the key of the replies to a packet will be.</summary>
    public void Prefetch(in FrameShape shape)
    {
        FlowKey key = shape.Key;
        ref Entry entry = ref EntryOf(key.Destination);
        if (entry.Service is not { } service || entry.VirtualAddress != key.Destination)
        {
            return;
        }

        if (entry.Round != _round)
        {
            entry.PicksBefore = entry.Round == _round - 1 ? entry.Picks : 0;
            entry.Round = _round;
            entry.Picks = 0;
        }

        if (service.Forecast(entry.PicksBefore + entry.Picks++, shape.Kind is FrameKind.Opening or FrameKind.Datagram ? _claims : 0) is not { } server)
        {
            return;
        }

        ref Expected expected = ref _expected[_expectedCount++];
        expected.Reply = ReplyTo(key, server, entry.TranslatedSource);
        expected.Hash = _ahead.Hash(expected.Reply.Addresses, expected.Reply.Rest);
        expected.Line = _ahead.PrefetchIndex(expected.Hash);

        // The first of these frames takes the key, so that it is not free for a later one.
        ref ulong seen = ref _seen[(int)(expected.Hash % SeenMax)];
        ulong mark = expected.Hash ^ (uint)_round;
        expected.IsRepeated = seen == mark || seen == (expected.Hash ^ (uint)(_round - 1));
        seen = mark;
    }

    /// <summary>Asks for the line of the replies once the server was picked: who picks among others cannot tell before.</summary>
    public void Prefetch(FlowKey key, RealServer server)
    {
        FlowKey reply = ReplyTo(key, server, EntryOf(key.Destination).TranslatedSource);
        _ahead.PrefetchIndex(_ahead.Hash(reply.Addresses, reply.Rest));
    }

    /// <summary>
    /// Where the key is taken: asks for the connection that has it, and for the line of the key that will be tried next; for a few keys
    /// in a row, since as many may be taken. Each time all lines have come before they are looked at.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void PrefetchHolders()
    {
        if (_expectedCount > 0)
        {
            PrefetchHoldersOfExpected();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void PrefetchHoldersOfExpected()
    {
        LookAhead ahead = _ahead;
        AddressTranslator translator = _translator;
        ref Expected first = ref MemoryMarshal.GetArrayDataReference(_expected);
        ulong state = 0;
        int count = _expectedCount;
        TouchIndex(ahead, ref first, count);
        for (int attempt = 0; attempt < AttemptsMax && count >= (attempt < AttemptsForAnybody ? 1 : WaitersWorthwhile); attempt++)
        {
            ref Expected next = ref first;
            ref Expected expected = ref first;
            ref Expected end = ref Unsafe.Add(ref first, count);
            count = 0;
            for (; Unsafe.IsAddressLessThan(ref expected, ref end); expected = ref Unsafe.Add(ref expected, 1))
            {
                IndexEntry holder = ahead.PrefetchConnection(expected.Line, expected.Hash, isKeyEnough: true);
                if (holder.IsNone && !expected.IsRepeated)
                {
                    continue;
                }

                if (!Unsafe.AreSame(ref next, ref expected))
                {
                    next = expected;
                }

                next.Holder = Math.Max(holder.Number, 0);
                next.IsRepeated = false;
                next.Reply.DestinationPort = attempt == 0
                    ? translator.Forecast(next.Reply.DestinationPort, ref state) : translator.ForecastAfter(next.Reply.DestinationPort);
                next.Hash = ahead.Hash(next.Reply.Addresses, next.Reply.Rest);
                next.Line = ahead.PrefetchIndex(next.Hash);
                next = ref Unsafe.Add(ref next, 1);
                count++;
            }

            TouchIndex(ahead, ref first, count);
            ulong touched = 0;
            for (int index = 0; index < count; index++)
            {
                touched += ahead.TouchHolder(Unsafe.Add(ref first, index).Holder);
            }

            _touched += touched;
        }
    }

    private static FlowKey ReplyTo(FlowKey key, RealServer server, uint translatedSource)
    {
        FlowKey reply = FlowKey.FromWords(server.Address | ((ulong)translatedSource << 32), key.Reverse().Rest);
        reply.SourcePort = server.PortFor(reply.SourcePort);
        return reply;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void TouchIndex(LookAhead ahead, ref Expected first, int count)
    {
        ulong touched = 0;
        for (int index = 0; index < count; index++)
        {
            touched += ahead.TouchIndex(Unsafe.Add(ref first, index).Line);
        }

        _touched += touched;
    }

    private ref Entry EntryOf(uint address) => ref _entries[(address * 0x9E3779B1) >> 26];
}
