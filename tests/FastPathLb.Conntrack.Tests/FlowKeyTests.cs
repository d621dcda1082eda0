using FastPathLb.Wire;

namespace FastPathLb.Conntrack.Tests;

public sealed class FlowKeyTests
{
    [Fact]
    public void Every_field_tells_keys_apart()
    {
        FlowKey key = Keys.Of(1);
        FlowKey[] others =
        [
            key with { Source = key.Source + 1 },
            key with { Destination = key.Destination + 1 },
            key with { SourcePort = (ushort)(key.SourcePort + 1) },
            key with { DestinationPort = (ushort)(key.DestinationPort + 1) },
            key with { Protocol = IpProtocol.Udp },
            key with { Kind = FlowKind.Template },
            key with { Network = (ushort)(key.Network + 1) },
        ];

        Assert.True(key.Matches(key));
        Assert.Equal(others.Length + 1, new HashSet<FlowKey>([key, .. others, key]).Count);
        Assert.All(others, other =>
        {
            Assert.False(key.Matches(other));
            Assert.True(key != other && !key.Equals(other) && !Equals(key, other));
            Assert.NotEqual(key.Hash(1), other.Hash(1));
        });
    }

    [Fact]
    public void Reverse_swaps_the_ends_and_keeps_the_rest()
    {
        FlowKey key = Keys.Of(7) with { Kind = FlowKind.IpvsReply, Network = 3 };
        FlowKey reversed = key.Reverse();

        Assert.Equal((key.Destination, key.Source), (reversed.Source, reversed.Destination));
        Assert.Equal((key.DestinationPort, key.SourcePort), (reversed.SourcePort, reversed.DestinationPort));
        Assert.Equal((key.Protocol, key.Kind, key.Network), (reversed.Protocol, reversed.Kind, reversed.Network));
        Assert.True(key.Matches(reversed.Reverse()));
    }

    [Fact]
    public void The_seed_changes_the_hash_and_every_bit_of_a_key_moves_half_of_it()
    {
        FlowKey key = Keys.Of(1);
        Assert.NotEqual(key.Hash(1), key.Hash(2));

        long flips = 0;
        const int Samples = 2000;
        for (int sample = 0; sample < Samples; sample++)
        {
            FlowKey other = Keys.Of(sample);
            FlowKey changed = other;
            changed.Source ^= 1u << (sample & 31);
            flips += System.Numerics.BitOperations.PopCount(other.Hash(42) ^ changed.Hash(42));
        }

        Assert.InRange(flips / (double)Samples, 30, 34);
    }

    [Fact]
    public void It_reads_as_a_flow() => Assert.Equal("Tcp 10.0.0.1:1024 > 10.0.1.2:80", Keys.Of(0).ToString());
}
