using FastPathLb.Pipeline;
using FastPathLb.TestKit;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Tests.Paths;

/// <summary>Packets that path tables are made of. Round robin takes the server added last first.</summary>
internal static class Traffic
{
    public const string First = "10.0.1.4";
    public const string Second = "10.0.1.3";
    public const string Client = SmallSwarm.Client + ":40000";
    public const string Vip = SmallSwarm.Vip + ":80";
    public const string Lb = SmallSwarm.Lb + ":40000";
    public const string Server = First + ":80";

    public const TcpFlags SynAck = TcpFlags.Syn | TcpFlags.Ack;
    public const TcpFlags FinAck = TcpFlags.Fin | TcpFlags.Ack;
    public const TcpFlags PshAck = TcpFlags.Psh | TcpFlags.Ack;
    public const TcpFlags RstAck = TcpFlags.Rst | TcpFlags.Ack;

    /// <summary>The client's first segment.</summary>
    public static PacketBuilder Syn { get; } = PacketBuilder.Tcp(Client, Vip, TcpFlags.Syn, 1000);

    /// <summary>The same as the first server gets it.</summary>
    public static PacketBuilder SynSent { get; } = PacketBuilder.Tcp(Lb, Server, TcpFlags.Syn, 1000) with { TimeToLive = 63 };

    /// <summary>The first step of most cases: a connection to the first server.</summary>
    public static PathStep Open => PathStep.In(Syn).Becomes(SynSent);

    /// <summary>The server's answer to it.</summary>
    public static PathStep Accept => PathStep.In(PacketBuilder.Tcp(Server, Lb, SynAck, 5000, 1001))
        .Becomes(PacketBuilder.Tcp(Vip, Client, SynAck, 5000, 1001) with { TimeToLive = 63 });

    /// <summary>The client's third segment.</summary>
    public static PathStep Complete => FromClient(TcpFlags.Ack, 1001, 5001);

    /// <summary>A connection with packets both ways.</summary>
    public static PathStep[] Established => [Open, Accept, Complete];

    /// <summary>A segment of the client's and what the first server gets.</summary>
    public static PathStep FromClient(TcpFlags flags, uint sequence, uint acknowledgement, byte[]? payload = null) =>
        PathStep.In(PacketBuilder.Tcp(Client, Vip, flags, sequence, acknowledgement) with { Payload = payload })
            .Becomes(PacketBuilder.Tcp(Lb, Server, flags, sequence, acknowledgement) with { Payload = payload, TimeToLive = 63 });

    /// <summary>A segment of the first server's and what the client gets.</summary>
    public static PathStep FromServer(TcpFlags flags, uint sequence, uint acknowledgement, byte[]? payload = null) =>
        PathStep.In(PacketBuilder.Tcp(Server, Lb, flags, sequence, acknowledgement) with { Payload = payload })
            .Becomes(PacketBuilder.Tcp(Vip, Client, flags, sequence, acknowledgement) with { Payload = payload, TimeToLive = 63 });

    /// <summary>An error of the load balancer's own about a packet, from the address that the packet called.</summary>
    public static PacketBuilder Error(IcmpType type, byte code, PacketBuilder about, uint rest = 0) =>
        ErrorAbout(about.BuildPacket(), about.Destination, about.Source, type, code, rest) with
        {
            TypeOfService = (byte)(0xC0 | (about.TypeOfService & 0x1E)),
        };

    /// <summary>An error as hosts send it, quoting a packet.</summary>
    public static PacketBuilder ErrorAbout(
        byte[] quoted, Endpoint from, Endpoint to, IcmpType type, byte code, uint rest = 0) =>
        PacketBuilder.Icmp(from.Address.ToString(), to.Address.ToString(), type, code, rest, quoted) with
        {
            TypeOfService = 0xC0,
            DontFragment = false,
        };

    /// <summary>Bytes of text.</summary>
    public static byte[] Text(string text) => System.Text.Encoding.ASCII.GetBytes(text);

    /// <summary>So many bytes, all different from their neighbours.</summary>
    public static byte[] Bytes(int count) => [.. Enumerable.Range(0, count).Select(index => (byte)(index * 7))];

    /// <summary>A step that the table does not care about but for its fate.</summary>
    public static PathStep Dropped(byte[] frame, DropReason reason) => PathStep.In(frame).Drops(reason);
}
