using System.Runtime.CompilerServices;
using FastPathLb.Balancer.Ipvs;
using FastPathLb.Balancer.Netfilter;
using FastPathLb.Conntrack;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.FastPath;

/// <summary>
/// What the general path decided about first packets to an address and port, whoever sent them: the service, the rule that
/// translates the source, and for each server which rules count the packet and where it goes. Used again for others.
/// </summary>
internal sealed class OpeningNote
{
    private Decided[] _decided = new Decided[4];
    private uint _address;
    private ushort _port;
    private IpProtocol _protocol;
    private int _count;

    // Where the next one is looked for first: servers take turns, mostly.
    private int _next;
    private long _servicesVersion = -1;

    /// <summary>What was decided about packets to a server.</summary>
    private struct Decided
    {
        public int Server;
        public ushort Decision;
    }

    /// <summary>What was noted under another version of <see cref="FlowDecisions"/> is forgotten; 0 before anything was.</summary>
    public long Version { get; private set; }

    /// <summary>The service.</summary>
    public VirtualService? Service { get; private set; }

    /// <summary>The rule of the nat table that translates the source, or null where none does.</summary>
    public PacketRule? SourceRule { get; private set; }

    /// <summary>Longest IPv4 packet that is decided like this, in bytes.</summary>
    public int LengthMaxBytes { get; private set; }

    /// <summary>Whether it is about packets of this flow to their address and port.</summary>
    public bool IsFor(FlowKey key, long version) =>
        _address == key.Destination && _port == key.DestinationPort && _protocol == key.Protocol && Version == version;

    /// <summary>Begins anew, about packets of a flow and others to the same address and port.</summary>
    public void Begin(FlowKey key, long version, VirtualService service, PacketRule? sourceRule)
    {
        _address = key.Destination;
        _port = key.DestinationPort;
        _protocol = key.Protocol;
        LengthMaxBytes = ushort.MaxValue;
        Version = version;
        Service = service;
        SourceRule = sourceRule;
        _count = 0;
        _servicesVersion = -1;
    }

    /// <summary>Notes what was decided about packets to a server.</summary>
    /// <param name="server">The server.</param>
    /// <param name="decision">Number of the decision.</param>
    /// <param name="lengthMaxBytes">Longest packet that it holds for.</param>
    public void Add(RealServer server, int decision, int lengthMaxBytes)
    {
        LengthMaxBytes = Math.Min(LengthMaxBytes, lengthMaxBytes);
        int index = IndexOf(server.Number);
        if (index < 0)
        {
            if (_count == _decided.Length)
            {
                Array.Resize(ref _decided, _count * 2);
            }

            index = _count++;
            _servicesVersion = -1;
        }

        _decided[index] = new Decided { Server = server.Number, Decision = (ushort)decision };
    }

    /// <summary>The number of what was decided about packets to a server, or 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int DecisionFor(int server)
    {
        int index = _next < _count ? _next : 0;
        ref Decided decided = ref _decided[index];
        if (decided.Server != server || _count == 0)
        {
            return DecisionBeside(server);
        }

        _next = index + 1;
        return decided.Decision;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private int DecisionBeside(int server)
    {
        int index = IndexOf(server);
        if (index < 0)
        {
            return 0;
        }

        _next = index + 1;
        return _decided[index].Decision;
    }

    /// <summary>
    /// Whether every server that the scheduler may pick is known, so that nobody has to take a pick back. Thresholds take servers in
    /// and out with every connection: such services take the general path.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsComplete() => Service!.Version == _servicesVersion || IsCompleteNow(Service);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool IsCompleteNow(VirtualService service)
    {
        if (service.PersistenceNanoseconds != 0 || service.IsOnePacket || service.Servers.Count == 0)
        {
            return false;
        }

        foreach (RealServer server in service.Walked)
        {
            if (server.UpperThreshold != 0 || (server.Weight > 0 && (!server.IsMasqueraded || IndexOf(server.Number) < 0)))
            {
                return false;
            }
        }

        _servicesVersion = service.Version;
        return true;
    }

    private int IndexOf(int server)
    {
        for (int index = 0; index < _count; index++)
        {
            if (_decided[index].Server == server)
            {
                return index;
            }
        }

        return -1;
    }
}
