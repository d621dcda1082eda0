using System.Text;
using static System.Globalization.CultureInfo;

namespace FastPathLb.Wire;

/// <summary>Says of a checksum field whether it is right, and if not, how it is wrong.</summary>
internal static class ChecksumPrinter
{
    /// <summary>Appends the state of a sum that covers a pseudo-header.</summary>
    /// <param name="line">Appended to.</param>
    /// <param name="segment">Transport header and payload, whole.</param>
    /// <param name="pseudoHeaderSum">Partial sum of the pseudo-header with a length of 0.</param>
    /// <param name="field">The checksum field, which lies in <paramref name="segment"/>.</param>
    public static void AppendTransport(StringBuilder line, ReadOnlySpan<byte> segment, uint pseudoHeaderSum, ushort field)
    {
        uint length = (uint)segment.Length;
        uint pseudo = pseudoHeaderSum + (length >> 16) + (length & 0xFFFF);
        uint sum = InternetChecksum.Sum(segment, pseudo);
        if (InternetChecksum.Finish(sum) == 0)
        {
            line.Append(", sum ok");
        }
        else if (field == InternetChecksum.Fold(pseudo))
        {
            line.Append(", sum partial");
        }
        else
        {
            AppendBad(line, field, sum);
        }
    }

    /// <summary>Appends the state of a sum that covers just some bytes.</summary>
    public static void AppendPlain(StringBuilder line, ReadOnlySpan<byte> covered, ushort field)
    {
        uint sum = InternetChecksum.Sum(covered);
        if (InternetChecksum.Finish(sum) == 0)
        {
            line.Append(", sum ok");
        }
        else
        {
            AppendBad(line, field, sum);
        }
    }

    /// <summary>Appends what a wrong field holds and what it should hold.</summary>
    /// <param name="line">Appended to.</param>
    /// <param name="field">The wrong value.</param>
    /// <param name="sum">Partial sum with the wrong value in it.</param>
    public static void AppendBad(StringBuilder line, ushort field, uint sum)
    {
        ushort right = InternetChecksum.Finish(InternetChecksum.Fold(sum) + (uint)(ushort)~field);
        line.Append(InvariantCulture, $", sum bad (0x{field:x4}, should be 0x{right:x4})");
    }
}
