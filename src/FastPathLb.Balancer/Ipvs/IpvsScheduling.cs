using System.Runtime.CompilerServices;
using FastPathLb.Balancer.Stack;
using FastPathLb.Conntrack;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Ipvs;

/// <summary>
/// Packets that belong to no connection: which of them open one, to which service and server (ip_vs_schedule and ip_vs_sched_persist in
/// ip_vs_core.c).
/// </summary>
internal sealed class IpvsScheduling
{
    /// <summary>From which FTP servers open connections: never scheduled.</summary>
    public const ushort FtpDataPort = 20;

    private readonly NetworkNamespace _space;
    private readonly IpvsCore _ipvs;
    private readonly ConnectionTable _table;
    private int _dropCounter;

    public IpvsScheduling(NetworkNamespace space, IpvsCore ipvs, ConnectionTable table)
    {
        _space = space;
        _ipvs = ipvs;
        _table = table;
    }

    /// <summary>A packet without a connection (tcp_conn_schedule, udp_conn_schedule, ip_vs_schedule, ip_vs_leave).</summary>
    /// <param name="packet">The packet.</param>
    /// <param name="number">The new connection, or -1.</param>
    /// <returns>What became of the packet, or null where it has a connection now or goes on to the namespace's own stack.</returns>
    public Outcome? Schedule(Packet packet, out int number)
    {
        number = -1;
        if (packet.Protocol == IpProtocol.Tcp)
        {
            Span<byte> segment = packet.Transport;
            if (segment.Length < TcpSegment.MinimumHeaderBytes || packet.TransportLengthBytes < TcpSegment.MinimumHeaderBytes)
            {
                return Outcome.Dropped(DropReason.IpvsPortsMissing);
            }

            TcpFlags flags = (TcpFlags)segment[13];
            if ((flags & TcpFlags.Rst) != 0 || ((flags & TcpFlags.Syn) == 0 && !_ipvs.Settings.IsSloppyTcp))
            {
                return null;
            }
        }
        else if (packet.Protocol == IpProtocol.Udp)
        {
            if (packet.Transport.Length < 8 || packet.TransportLengthBytes < 8)
            {
                return Outcome.Dropped(DropReason.IpvsPortsMissing);
            }
        }
        else
        {
            // SCTP opens with an INIT chunk; its checksum (CRC32c) and states are not emulated.
            return null;
        }

        VirtualService? service = _ipvs.FindService(
            packet.Fwmark, packet.Protocol, packet.Destination, packet.DestinationPort);
        if (service is null)
        {
            return null;
        }

        if (ShedsLoad())
        {
            return Outcome.Dropped(DropReason.IpvsLoadShedding);
        }

        if (packet.SourcePort == FtpDataPort)
        {
            return null;
        }

        ScheduleResult result = service.PersistenceNanoseconds > 0
            ? SchedulePersistent(packet, service, out number)
            : ScheduleOnce(packet, service, out number);
        return result switch
        {
            ScheduleResult.Scheduled or ScheduleResult.NotOurs => null,
            ScheduleResult.TableFull => Outcome.Dropped(DropReason.IpvsTableFull),
            _ => Outcome.Answered(
                DropReason.IpvsNoServer,
                _space.IcmpErrors.Send(packet, IcmpType.DestinationUnreachable, Icmp.PortUnreachable, 0)),
        };
    }

    /// <summary>ip_vs_todrop: one packet in so many.</summary>
    private bool ShedsLoad()
    {
        if (!_ipvs.Settings.DropsPackets || _ipvs.Settings.DropRate == 0 || --_dropCounter > 0)
        {
            return false;
        }

        _dropCounter = _ipvs.Settings.DropRate;
        return true;
    }

    private enum ScheduleResult
    {
        Scheduled,
        NotOurs,
        NoServer,
        TableFull,
    }

    private ScheduleResult ScheduleOnce(Packet packet, VirtualService service, out int number)
    {
        number = -1;
        if (service.Key.Fwmark == 0 && packet.DestinationPort != service.Key.Port)
        {
            return ScheduleResult.NoServer;
        }

        int server = service.Pick(packet.Source, packet.SourcePort, packet.Destination);
        return server < 0 ? ScheduleResult.NoServer : Open(packet, service, _ipvs.Servers[server], out number);
    }

    private ScheduleResult Open(Packet packet, VirtualService service, RealServer server, out int number)
    {
        bool isOnePacket = service.IsOnePacket && packet.Protocol == IpProtocol.Udp;
        number = _ipvs.Connections.Open(packet.PortKey(_space.Number), server, isOnePacket, packet.Now);
        if (number < 0)
        {
            return ScheduleResult.TableFull;
        }

        CountOpened(server);
        return ScheduleResult.Scheduled;
    }

    /// <summary>Counts a connection that was scheduled (ip_vs_conn_stats).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void CountOpened(RealServer server)
    {
        server.Counters.Connections++;
        server.Service.Counters.Connections++;
    }

    /// <summary>ip_vs_sched_persist: a template keeps the client's network with its server.</summary>
    private ScheduleResult SchedulePersistent(Packet packet, VirtualService service, out int number)
    {
        const ushort FtpPort = 21;
        number = -1;
        bool isExactPort = packet.DestinationPort == service.Key.Port;
        FlowKey key = new()
        {
            Source = packet.Source & service.PersistenceMask,
            Destination = packet.Destination,
            DestinationPort = isExactPort && service.Key.Port != FtpPort ? packet.DestinationPort : (ushort)0,
            Protocol = packet.Protocol,
            Kind = FlowKind.Template,
            Network = _space.Number,
        };
        if (!isExactPort && service.Key.Fwmark != 0)
        {
            key.Destination = service.Key.Fwmark;
            key.Protocol = IpProtocol.Ip;
        }

        RealServer? server = null;
        if (_ipvs.Connections.TryFindIn(key, packet.Now, out int template))
        {
            server = _ipvs.Servers[_table[template].Server];
            if (!server.IsAvailable || (_ipvs.Settings.ExpiresQuiescentTemplates && server.Weight == 0))
            {
                // The template serves no more; its connections keep it alive until they end.
                _table.UnindexOriginal(template);
                _table[template].Original.DestinationPort = ushort.MaxValue;
                _table[template].Original.SourcePort = 0;
                server = null;
            }
        }

        if (server is null)
        {
            int picked = service.Pick(packet.Source, packet.SourcePort, packet.Destination);
            server = picked < 0 ? null : _ipvs.Servers[picked];
            if (server is null)
            {
                return ScheduleResult.NoServer;
            }

            template = _ipvs.Connections.OpenTemplate(key, server, service.PersistenceNanoseconds, packet.Now);
            if (template < 0)
            {
                return ScheduleResult.TableFull;
            }
        }

        ScheduleResult result = Open(packet, service, server, out number);
        if (result == ScheduleResult.Scheduled)
        {
            _ipvs.Connections.Depend(number, template);
            _ipvs.Connections.Restart(template, packet.Now + service.PersistenceNanoseconds);
        }

        return result;
    }
}
