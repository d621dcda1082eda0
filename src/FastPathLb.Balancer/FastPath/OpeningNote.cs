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
    private RealServer[] _servers = new RealServer[4];
    private ushort[] _decisions = new ushort[4];
    private uint _address;
    private ushort _port;
    private IpProtocol _protocol;
    private int _count;

    // Where the next one is looked for first: servers take turns, mostly.
    private int _next;
    private long _servicesVersion = -1;

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
        int index = IndexOf(server);
        if (index < 0)
        {
            if (_count == _servers.Length)
            {
                Array.Resize(ref _servers, _count * 2);
                Array.Resize(ref _decisions, _count * 2);
            }

            index = _count++;
            _servicesVersion = -1;
        }

        _servers[index] = server;
        _decisions[index] = (ushort)decision;
    }

    /// <summary>The number of what was decided about packets to a server, or 0.</summary>
    public int DecisionFor(RealServer server)
    {
        int index = IndexOf(server);
        return index < 0 ? 0 : _decisions[index];
    }

    /// <summary>
    /// Whether every server that the scheduler may pick is known, so that nobody has to take a pick back. Thresholds take servers in
    /// and out with every connection: such services take the general path.
    /// </summary>
    public bool IsComplete()
    {
        VirtualService service = Service!;
        if (service.Version == _servicesVersion)
        {
            return true;
        }

        if (service.PersistenceNanoseconds != 0 || service.IsOnePacket || service.Servers.Count == 0)
        {
            return false;
        }

        foreach (RealServer server in service.Walked)
        {
            if (server.UpperThreshold != 0 || (server.Weight > 0 && (!server.IsMasqueraded || IndexOf(server) < 0)))
            {
                return false;
            }
        }

        _servicesVersion = service.Version;
        return true;
    }

    private int IndexOf(RealServer server)
    {
        int index = _next;
        for (int looked = 0; looked < _count; looked++)
        {
            index = index < _count ? index : 0;
            if (ReferenceEquals(_servers[index], server))
            {
                _next = index + 1;
                return index;
            }

            index++;
        }

        return -1;
    }
}
