using System.Buffers.Binary;
using FsCheck;
using FsCheck.Fluent;

namespace FastPathLb.Wire.Tests;

public class ChecksumDeltaTests
{
    // RFC 1624, section 4: HC 0xDD2F, a 16-bit field 0x5555 becomes 0x3285. Equation 3 gives 0, where RFC 1141 gave 0xFFFF.
    [Fact]
    public void The_example_of_rfc_1624_section_4()
    {
        ChecksumDelta delta = default;
        delta.Replace((ushort)0x5555, (ushort)0x3285);
        Assert.Equal(0x0000, delta.ApplyTo(0xDD2F));
        Assert.Equal(0xFFFF, delta.ApplyToUdp(0xDD2F));
    }

    [Fact]
    public void A_delta_gives_what_a_full_sum_gives()
    {
        static bool Agrees(ushort[] words, uint address, ushort port)
        {
            // Address at offset 0, port at 4, checksum at 6, other words behind.
            byte[] bytes = new byte[8 + (words.Length * 2)];
            for (int index = 0; index < words.Length; index++)
            {
                BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(8 + (index * 2)), words[index]);
            }

            bytes[0] = 1;
            ushort before = InternetChecksum.Compute(bytes);

            ChecksumDelta delta = default;
            delta.Replace(BinaryPrimitives.ReadUInt32BigEndian(bytes), address);
            delta.Replace((ushort)0, port);
            BinaryPrimitives.WriteUInt32BigEndian(bytes, address);
            BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(4), port);
            ushort after = InternetChecksum.Compute(bytes);

            // Nothing but zero words sums to 0 and not to 0xFFFF: the one case where the update cannot know.
            return delta.ApplyTo(before) == after || (after == 0xFFFF && delta.ApplyTo(before) == 0);
        }

        Check.QuickThrowOnFailure(Prop.ForAll<ushort[], uint, ushort>((words, address, port) => Agrees(words, address, port)));
    }

    [Fact]
    public void Deltas_agree_with_the_kernels_arithmetic()
    {
        static bool Agrees(ushort checksum, uint oldAddress, uint newAddress, ushort oldPort, ushort newPort)
        {
            ChecksumDelta delta = default;
            delta.Replace(oldAddress, newAddress);
            delta.Replace(oldPort, newPort);
            ushort kernel = LinuxReplace(LinuxReplace(checksum, oldAddress, newAddress), oldPort, newPort);
            return delta.ApplyTo(checksum) == kernel
                && delta.ApplyToUdp(checksum) == (kernel == 0 ? 0xFFFF : kernel);
        }

        Check.QuickThrowOnFailure(Prop.ForAll(
            ArbMap.Default.ArbFor<(ushort, uint, uint, ushort, ushort)>(),
            x => Agrees(x.Item1, x.Item2, x.Item3, x.Item4, x.Item5)));

        ushort[] edges = [0, 1, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF];
        foreach (ushort checksum in edges)
        {
            foreach (ushort old in edges)
            {
                foreach (ushort replacement in edges)
                {
                    uint oldAddress = ((uint)old << 16) | replacement;
                    Assert.True(Agrees(checksum, old, replacement, replacement, old));
                    Assert.True(Agrees(checksum, oldAddress, replacement, old, replacement));
                }
            }
        }
    }

    [Fact]
    public void A_partial_sum_follows_the_pseudo_header()
    {
        static bool Agrees(uint source, uint oldDestination, uint newDestination, ushort length)
        {
            ushort before = InternetChecksum.Fold(Pseudo(source, oldDestination, length));
            ushort after = InternetChecksum.Fold(Pseudo(source, newDestination, length));
            ChecksumDelta delta = default;
            delta.Replace(oldDestination, newDestination);
            return delta.ApplyToPartial(before) == after;
        }

        static uint Pseudo(uint source, uint destination, ushort length) => InternetChecksum.PseudoHeaderSum(
            new Ipv4Address(source), new Ipv4Address(destination), IpProtocol.Tcp, length);

        Check.QuickThrowOnFailure(Prop.ForAll(
            ArbMap.Default.ArbFor<(uint, uint, uint, ushort)>(),
            x => Agrees(x.Item1, x.Item2, x.Item3, x.Item4)));
    }

    [Fact]
    public void A_recorded_translation_of_a_partial_sum_is_reproduced()
    {
        // swarm-web/lb-eth0.pcap, frames 3 and 6: 10.0.1.8 > 10.0.1.2 became 10.0.1.6 > 10.0.1.4, and the sum stayed.
        ChecksumDelta delta = default;
        delta.Replace(Ipv4Address.Parse("10.0.1.8").Value, Ipv4Address.Parse("10.0.1.6").Value);
        delta.Replace(Ipv4Address.Parse("10.0.1.2").Value, Ipv4Address.Parse("10.0.1.4").Value);
        Assert.Equal(0x1638, delta.ApplyToPartial(0x1638));
    }

    [Fact]
    public void A_recorded_translation_of_a_full_sum_is_reproduced()
    {
        // rr-basic/underlay.pcap, frames 1 and 2: 10.0.1.8 > 10.0.1.2 became 10.0.1.5 > 10.0.1.4.
        ChecksumDelta delta = default;
        delta.Replace(Ipv4Address.Parse("10.0.1.8").Value, Ipv4Address.Parse("10.0.1.5").Value);
        delta.Replace(Ipv4Address.Parse("10.0.1.2").Value, Ipv4Address.Parse("10.0.1.4").Value);
        Assert.Equal(0xC7D8, delta.ApplyTo(0xC7D7));
    }

    // csum_replace4 of include/net/checksum.h: csum_fold(csum_add(csum_sub(~csum_unfold(sum), from), to)).
    private static ushort LinuxReplace(ushort sum, uint from, uint to) =>
        LinuxFold(LinuxAdd(LinuxAdd(~(uint)sum, ~from), to));

    private static uint LinuxAdd(uint sum, uint addend)
    {
        sum = unchecked(sum + addend);
        return sum + (sum < addend ? 1u : 0u);
    }

    private static ushort LinuxFold(uint sum)
    {
        sum = (sum & 0xFFFF) + (sum >> 16);
        sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)~sum;
    }
}
