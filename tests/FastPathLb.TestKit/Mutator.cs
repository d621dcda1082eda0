using System.Buffers.Binary;
using FastPathLb.Wire;

namespace FastPathLb.TestKit;

/// <summary>Damages bytes as wires, cards, captures and people do; the same damage for the same seed.</summary>
public sealed class Mutator
{
    private const int EthernetBytes = 14;
    private const int EnvelopeBytes = 50;

    private static readonly byte[] s_interesting = [0, 1, 4, 5, 6, 14, 15, 17, 20, 0x0F, 0x40, 0x44, 0x45, 0x46, 0x4F, 0x7F, 0x80, 0x81, 0xC0, 0xFE, 0xFF];

    private readonly Random _random;

    /// <summary>Damages by a seed.</summary>
    public Mutator(int seed) => _random = new Random(seed);

    /// <summary>The source of chance.</summary>
    public Random Random => _random;

    /// <summary>Bytes of no meaning.</summary>
    public byte[] Noise(int lengthMax)
    {
        byte[] bytes = new byte[_random.Next(lengthMax + 1)];
        _random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>One to four injuries: changed, cut, grown or doubled bytes, or a part of another sample.</summary>
    public byte[] Damage(ReadOnlySpan<byte> sample, ReadOnlySpan<byte> other)
    {
        byte[] bytes = sample.ToArray();
        for (int injury = _random.Next(1, 5); injury > 0; injury--)
        {
            bytes = Injure(bytes, other);
        }

        return bytes;
    }

    /// <summary>
    /// The same for a frame, whose IPv4 header sums (outer and inner) are mended half of the time: what is behind the validation wants
    /// to be reached.
    /// </summary>
    public byte[] DamageFrame(ReadOnlySpan<byte> sample, ReadOnlySpan<byte> other)
    {
        byte[] frame = Damage(sample, other);
        if (_random.Next(2) == 0)
        {
            Mend(frame, 0);
            Mend(frame, EnvelopeBytes);
        }

        return frame;
    }

    private static void Mend(byte[] frame, int start)
    {
        if (frame.Length < start + EthernetBytes + Ipv4Header.MinimumLengthBytes
            || BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(start + 12)) != (ushort)EtherType.Ipv4)
        {
            return;
        }

        Span<byte> packet = frame.AsSpan(start + EthernetBytes);
        int header = (packet[0] & 15) * 4;
        if (header >= Ipv4Header.MinimumLengthBytes && header <= packet.Length)
        {
            Ipv4Header.WriteChecksum(packet[..header]);
        }
    }

    private byte[] Injure(byte[] bytes, ReadOnlySpan<byte> other)
    {
        if (bytes.Length == 0)
        {
            return Noise(64);
        }

        int at = _random.Next(bytes.Length);
        int length = Math.Min(_random.Next(1, 16), bytes.Length - at);
        switch (_random.Next(9))
        {
            case 0:
                bytes[at] = (byte)_random.Next(256);
                return bytes;
            case 1:
                bytes[at] = s_interesting[_random.Next(s_interesting.Length)];
                return bytes;
            case 2:
                bytes[at] ^= (byte)(1 << _random.Next(8));
                return bytes;
            case 3:
                return bytes[..at];
            case 4:
                return [.. bytes[..at], .. bytes[(at + length)..]];
            case 5:
                return [.. bytes[..(at + length)], .. bytes[at..]];
            case 6:
                return [.. bytes, .. Noise(300)];
            case 7 when other.Length > 0:
                int from = _random.Next(other.Length);
                return [.. bytes[..at], .. other[from..]];
            default:
                // A 16-bit field: a length, a port, a checksum.
                if (at + 1 < bytes.Length)
                {
                    BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(at), (ushort)(_random.Next(4) == 0 ? ushort.MaxValue : _random.Next(2000)));
                }

                return bytes;
        }
    }
}
