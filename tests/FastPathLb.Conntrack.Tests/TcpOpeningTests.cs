using System.Buffers.Binary;
using System.Runtime.InteropServices;
using FastPathLb.Wire;

namespace FastPathLb.Conntrack.Tests;

/// <summary>A SYN begins a connection by a shorter way than other segments: what comes of it is the same, byte for byte.</summary>
public sealed class TcpOpeningTests
{
    private const long Now = 1_700_000_000_000_000_000;

    [Fact]
    public void A_syn_begins_a_connection_as_every_first_segment_does()
    {
        Random random = new(1);
        Span<byte> segment = stackalloc byte[128];
        for (int run = 0; run < 20_000; run++)
        {
            int optionBytes = random.Next(4) == 0 ? 0 : 4 * random.Next(11);
            int lengthBytes = TcpSegment.MinimumHeaderBytes + optionBytes + (random.Next(3) == 0 ? random.Next(40) : 0);
            random.NextBytes(segment[..lengthBytes]);
            segment[12] = (byte)((5 + (optionBytes / 4)) << 4);
            TcpFlags beside = random.Next(8) == 0 ? TcpFlags.Urg : random.Next(8) == 0 ? TcpFlags.Psh : TcpFlags.None;
            segment[13] = (byte)(TcpFlags.Syn | beside);
            if (random.Next(4) == 0)
            {
                segment[14..16].Clear();
            }

            if (random.Next(4) == 0)
            {
                BinaryPrimitives.WriteUInt32BigEndian(segment[4..], uint.MaxValue - (uint)random.Next(3));
            }

            if (optionBytes >= TrackedFlow.SynOptions.Length && random.Next(2) == 0)
            {
                TrackedFlow.SynOptions.CopyTo(segment[TcpSegment.MinimumHeaderBytes..]);
            }

            ConntrackTimeouts timeouts = new()
            {
                TcpLiberal = random.Next(2) == 0,
                TcpRetransmissionsMax = random.Next(2),
                Retransmitted = random.Next(2) * 1000L,
            };
            Assert.True(TcpTracker.IsWellFormed(segment[..lengthBytes], lengthBytes));
            Connection begun = default;
            TcpTracker.BeginWithSyn(ref begun, ref segment[0], lengthBytes, Now, timeouts);

            Connection stepped = default;
            TcpSegment view = new(segment[..lengthBytes], lengthBytes);
            Assert.True(TcpTracker.TryBegin(ref stepped, view, timeouts));
            Assert.Equal(TrackVerdict.Accept, TcpTracker.Step(ref stepped, FlowDirection.Original, view, Now, timeouts));
            Assert.True(BytesOf(stepped).SequenceEqual(BytesOf(begun)));
        }
    }

    private static ReadOnlySpan<byte> BytesOf(in Connection connection) => MemoryMarshal.AsBytes(new ReadOnlySpan<Connection>(in connection));
}
