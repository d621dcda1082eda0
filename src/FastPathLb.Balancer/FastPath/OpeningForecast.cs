using System.Runtime.CompilerServices;
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
    public void Begin(bool followsOthers)
    {
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

        if (service.Forecast(entry.PicksBefore + entry.Picks++) is not { } server)
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
        ulong state = 0;
        int count = _expectedCount;
        TouchIndex(count);
        for (int attempt = 0; attempt < AttemptsMax && count >= (attempt < AttemptsForAnybody ? 1 : WaitersWorthwhile); attempt++)
        {
            int left = 0;
            for (int index = 0; index < count; index++)
            {
                ref Expected expected = ref _expected[index];
                IndexEntry holder = _ahead.PrefetchConnection(expected.Line, expected.Hash, isKeyEnough: true);
                if (holder.IsNone && !expected.IsRepeated)
                {
                    continue;
                }

                ref Expected next = ref _expected[left++];
                next = expected;
                next.Holder = Math.Max(holder.Number, 0);
                next.IsRepeated = false;
                next.Reply.DestinationPort = attempt == 0
                    ? _translator.Forecast(next.Reply.DestinationPort, ref state) : _translator.ForecastAfter(next.Reply.DestinationPort);
                next.Hash = _ahead.Hash(next.Reply.Addresses, next.Reply.Rest);
                next.Line = _ahead.PrefetchIndex(next.Hash);
            }

            count = left;
            TouchIndex(count);
            for (int index = 0; index < count; index++)
            {
                _touched += _ahead.TouchHolder(_expected[index].Holder);
            }
        }
    }

    private static FlowKey ReplyTo(FlowKey key, RealServer server, uint translatedSource)
    {
        ushort client = key.SourcePort;
        key.Source = server.Address;
        key.SourcePort = server.PortFor(key.DestinationPort);
        key.Destination = translatedSource;
        key.DestinationPort = client;
        return key;
    }

    private void TouchIndex(int count)
    {
        ulong touched = 0;
        for (int index = 0; index < count; index++)
        {
            touched += _ahead.TouchIndex(_expected[index].Line);
        }

        _touched += touched;
    }

    private ref Entry EntryOf(uint address) => ref _entries[(address * 0x9E3779B1) >> 26];
}
