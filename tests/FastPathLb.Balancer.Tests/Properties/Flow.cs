using FastPathLb.TestKit;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Tests.Properties;

/// <summary>A client's port and protocol, and what the server last saw of it.</summary>
internal sealed class Flow
{
    private const uint ClientStart = 1000;
    private const uint ServerStart = 5000;

    public required Endpoint Client { get; init; }

    public required Endpoint Called { get; init; }

    public required IpProtocol Protocol { get; init; }

    /// <summary>Where packets from the client arrived last.</summary>
    public Endpoint Server { get; private set; }

    /// <summary>From whom they seemed to come.</summary>
    public Endpoint SeenClient { get; private set; }

    public bool WasServed => Server.Port != 0;

    /// <summary>Whether the client has heard the server's SYN: before that it has nothing to acknowledge.</summary>
    public bool IsSynchronized { get; set; }

    private uint ClientNext { get; set; } = ClientStart;

    private uint ServerNext { get; set; } = ServerStart;

    public PacketBuilder FromClient(TcpFlags flags)
    {
        if (Protocol == IpProtocol.Udp)
        {
            return PacketBuilder.Udp(Client, Called);
        }

        if ((flags & TcpFlags.Syn) != 0)
        {
            IsSynchronized = false;
            ClientNext = ClientStart;
            ServerNext = ServerStart;
        }

        uint sequence = ClientNext;
        ClientNext += (flags & (TcpFlags.Syn | TcpFlags.Fin)) != 0 ? 1u : 0;
        return PacketBuilder.Tcp(Client, Called, flags, sequence, (flags & TcpFlags.Ack) != 0 ? ServerNext : 0);
    }

    public PacketBuilder FromServer(TcpFlags flags)
    {
        if (Protocol == IpProtocol.Udp)
        {
            return PacketBuilder.Udp(Server, SeenClient);
        }

        uint sequence = (flags & TcpFlags.Syn) != 0 ? ServerStart : ServerNext;
        ServerNext = sequence + ((flags & (TcpFlags.Syn | TcpFlags.Fin)) != 0 ? 1u : 0);
        return PacketBuilder.Tcp(Server, SeenClient, flags, sequence, ClientNext);
    }

    public void Arrived(Endpoint from, Endpoint at)
    {
        SeenClient = from;
        Server = at;
    }
}
