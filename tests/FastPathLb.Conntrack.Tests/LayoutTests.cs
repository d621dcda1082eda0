using System.Runtime.CompilerServices;

namespace FastPathLb.Conntrack.Tests;

/// <summary>What the drawings in the sources claim about memory.</summary>
public sealed class LayoutTests
{
    private const int CacheLineBytes = 64;

    [Fact]
    public void Records_are_as_large_as_drawn()
    {
        Assert.Equal(128, Unsafe.SizeOf<Connection>());
        Assert.Equal(Connection.SizeBytes, Unsafe.SizeOf<Connection>());
        Assert.Equal(16, Unsafe.SizeOf<FlowKey>());
        Assert.Equal(20, Unsafe.SizeOf<TcpSeen>());
    }

    [Fact]
    public void Fields_are_where_the_drawing_has_them()
    {
        Connection connection = default;
        (string Field, int Expected, int Actual)[] offsets =
        [
            ("Original", 0, Offset(ref connection, ref connection.Original)),
            ("Reply", 16, Offset(ref connection, ref connection.Reply)),
            ("IpvsState", 32, Offset(ref connection, ref connection.IpvsState)),
            ("TrackState", 33, Offset(ref connection, ref connection.TrackState)),
            ("Flags", 34, Offset(ref connection, ref connection.Flags)),
            ("Server", 36, Offset(ref connection, ref connection.Server)),
            ("IpvsExpires", 40, Offset(ref connection, ref connection.IpvsExpires)),
            ("TrackExpires", 48, Offset(ref connection, ref connection.TrackExpires)),
            ("DecisionGeneration", 56, Offset(ref connection, ref connection.DecisionGeneration)),
            ("DecisionOriginal", 58, Offset(ref connection, ref connection.DecisionOriginal)),
            ("DecisionReply", 60, Offset(ref connection, ref connection.DecisionReply)),
            ("ClientLink", 62, Offset(ref connection, ref connection.ClientLink)),
            ("SeenOriginal", 64, Offset(ref connection, ref connection.SeenOriginal)),
            ("SeenReply", 84, Offset(ref connection, ref connection.SeenReply)),
            ("LastSequence", 104, Offset(ref connection, ref connection.LastSequence)),
            ("LastKind", 116, Offset(ref connection, ref connection.LastKind)),
            ("Retransmissions", 120, Offset(ref connection, ref connection.Retransmissions)),
            ("Control", 124, Offset(ref connection, ref connection.Control)),
        ];

        Assert.Equal(offsets.Select(item => (item.Field, item.Expected)), offsets.Select(item => (item.Field, item.Actual)));
    }

    [Fact]
    public void What_every_packet_needs_is_in_the_first_cache_line()
    {
        Connection connection = default;

        Assert.True(Offset(ref connection, ref connection.ClientLink) + sizeof(ushort) <= CacheLineBytes);
        Assert.Equal(CacheLineBytes, Offset(ref connection, ref connection.SeenOriginal));
    }

    [Fact]
    public void Elements_of_a_slab_begin_on_a_cache_line_and_are_zero()
    {
        using Slab<Connection> slab = new(100);

        for (int index = 0; index < slab.Count; index++)
        {
            Assert.Equal(0, AddressOf(ref slab[index]) % CacheLineBytes);
            Assert.Equal(0, slab[index].IpvsExpires);
            Assert.Equal(ConnectionFlags.None, slab[index].Flags);
        }

        Assert.Equal(100 * Connection.SizeBytes, slab.SizeBytes);
        Assert.Throws<ArgumentOutOfRangeException>(() => new Slab<int>(0));
    }

    [Fact]
    public void A_connection_costs_what_it_is_said_to()
    {
        using ConnectionTable table = new(1 << 12);

        // Two cache lines of record, two slots at 70 % fill, wheel links; the free list is in the records.
        Assert.InRange(table.BytesPerConnection, 128 + 16 + 8, 160);
    }

    [Fact]
    public void Room_is_lent_without_stepping_on_its_neighbours()
    {
        Connection connection = default;
        connection.SeenOriginal.End = 1;
        connection.SeenReply.End = 2;
        connection.LastWindow = 0xABCD;
        connection.InPackets = 0x1234;
        connection.StreamStart = 0x1122334455667788;

        Assert.Equal((0xABCD, 0x1234), (connection.LastWindow, connection.InPackets));
        Assert.Equal(0x1122334455667788, connection.StreamStart);
        Assert.Equal((1u, 2u), (connection.SeenOriginal.End, connection.SeenReply.End));
        Assert.Equal(0u, connection.LastEnd);
        connection.StreamStart = -1;
        Assert.Equal(-1, connection.StreamStart);
    }

    private static int Offset<TField>(ref Connection connection, ref TField field)
        where TField : allows ref struct =>
        (int)Unsafe.ByteOffset(ref Unsafe.As<Connection, byte>(ref connection), ref Unsafe.As<TField, byte>(ref field));

    // The slab's memory does not move.
    private static nint AddressOf(ref Connection element) => Unsafe.ByteOffset(ref Unsafe.NullRef<Connection>(), ref element);
}
