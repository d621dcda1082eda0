using System.Runtime.InteropServices;
using FastPathLb.Balancer.Ipvs;

namespace FastPathLb.Balancer.FastPath;

/// <summary>
/// What the general path decided about packets of one direction of connections to one server: which rules count them, where they
/// go. Counts what passed since the counters were last brought up to date.
/// </summary>
internal sealed class FlowDecision
{
    /// <summary>Where nothing was decided: no packet is short enough for it, and no headers lead to its server.</summary>
    public static readonly FlowDecision None = new(null!, isReply: false, []);

    private readonly DecisionRecorder.Slot[] _counters;
    private Passed _passed;

    public FlowDecision(RealServer server, bool isReply, ReadOnlySpan<DecisionRecorder.Slot> counters)
    {
        Server = server;
        IsReply = isReply;
        _counters = counters.ToArray();
    }

    /// <summary>The server that packets go to, or come from.</summary>
    public RealServer Server { get; }

    /// <summary>Whether packets come from the server.</summary>
    public bool IsReply { get; }

    /// <summary>Headers towards the server, or 0 where they are not known yet: replies go to clients, each by its own.</summary>
    public int Link { get; set; }

    /// <summary>Longest IPv4 packet that is decided like this, in bytes.</summary>
    public int LengthMaxBytes { get; init; }

    /// <summary><see cref="LengthMaxBytes"/> while the server is in use as it was when this was decided, else 0.</summary>
    public int LengthLimitBytes { get; private set; }

    /// <summary>Whether the sender is to be redirected, were the packet not translated: that is counted.</summary>
    public bool HasRedirect { get; set; }

    /// <summary>Who is to be redirected.</summary>
    public uint Redirected { get; set; }

    /// <summary>From when on a packet changes what is counted of redirects, nanoseconds since the Unix epoch.</summary>
    public long RedirectDue { get; set; } = long.MinValue;

    /// <summary>The version of what is counted of redirects that <see cref="RedirectDue"/> was made from.</summary>
    public long RedirectVersion { get; set; }

    /// <summary>Time of the latest packet, nanoseconds since the Unix epoch.</summary>
    public long Latest
    {
        get => _passed.Latest;
        set => _passed.Latest = value;
    }

    /// <summary>Packets that are not counted elsewhere yet.</summary>
    public int Packets
    {
        get => _passed.Packets;
        set => _passed.Packets = value;
    }

    /// <summary>Bytes of those packets.</summary>
    public int Bytes
    {
        get => _passed.Bytes;
        set => _passed.Bytes = value;
    }

    /// <summary>Number of the next decision about the same server and direction, or 0.</summary>
    public int Next { get; set; }

    /// <summary>Whether packets that met these rules, and are else alike, are decided like this.</summary>
    public bool IsFor(DecisionRecorder recorder, int link, int lengthMaxBytes) =>
        Link == link && LengthMaxBytes == lengthMaxBytes && HasRedirect == recorder.HasRedirect
        && (!HasRedirect || Redirected == recorder.Redirected) && HasSame(recorder.Counters);

    /// <summary>Looks at the server anew: whether it is in a service's list, and masqueraded to.</summary>
    public void CheckServer() => LengthLimitBytes = Server.IsMasqueraded ? LengthMaxBytes : 0;

    /// <summary>Counts what passed, at rules, service and server.</summary>
    public void Settle()
    {
        foreach (DecisionRecorder.Slot slot in _counters)
        {
            slot.Counter.Add(Packets, Bytes);
        }

        // Only a server in a service's list counts (ip_vs_in_stats, ip_vs_out_stats); no other has such packets.
        IpvsCounters server = Server.Counters;
        IpvsCounters service = Server.Service.Counters;
        if (IsReply)
        {
            server.OutPackets += Packets;
            server.OutBytes += Bytes;
            service.OutPackets += Packets;
            service.OutBytes += Bytes;
        }
        else
        {
            server.InPackets += Packets;
            server.InBytes += Bytes;
            service.InPackets += Packets;
            service.InBytes += Bytes;
        }

        Packets = 0;
        Bytes = 0;
    }

    private bool HasSame(ReadOnlySpan<DecisionRecorder.Slot> counters)
    {
        if (counters.Length != _counters.Length)
        {
            return false;
        }

        for (int index = 0; index < counters.Length; index++)
        {
            if (!ReferenceEquals(counters[index].Counter, _counters[index].Counter))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// Written with each packet: alone on its cache line, since the collector lays decisions of different workers side by side.
    /// </summary>
    [StructLayout(LayoutKind.Explicit, Size = 3 * LineBytes)]
    private struct Passed
    {
        private const int LineBytes = 64;

        [FieldOffset(LineBytes)]
        public long Latest;

        [FieldOffset(LineBytes + sizeof(long))]
        public int Packets;

        [FieldOffset(LineBytes + sizeof(long) + sizeof(int))]
        public int Bytes;
    }
}
