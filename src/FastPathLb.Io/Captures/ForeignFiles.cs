using System.Globalization;

namespace FastPathLb.Io.Captures;

/// <summary>Says what a file is that is no pcap and no pcapng, as far as its first bytes tell.</summary>
internal static class ForeignFiles
{
    private const string Expected = "a pcap or pcapng magic was expected";

    /// <param name="start">The first bytes, up to 4; none only if the compressed data is damaged.</param>
    /// <param name="damage">What was wrong with the compressed data, if it was.</param>
    public static string Describe(ReadOnlySpan<byte> start, string? damage)
    {
        if (damage is not null)
        {
            return $"the compressed data is damaged: {damage}";
        }

        ReadOnlySpan<byte> magic = start[..Math.Min(start.Length, 4)];
        string? guess = magic switch
        {
            [0x28, 0xb5, 0x2f, 0xfd] => "it is zstd: pipe it in with 'zstd -dc FILE |' and '-'",
            [0xfd, 0x37, 0x7a, 0x58] => "it is xz: pipe it in with 'xz -dc FILE |' and '-'",
            [0x42, 0x5a, 0x68, _] => "it is bzip2: pipe it in with 'bzip2 -dc FILE |' and '-'",
            [0x04, 0x22, 0x4d, 0x18] => "it is lz4: pipe it in with 'lz4 -dc FILE |' and '-'",
            [0x50, 0x4b, 0x03, 0x04] => "it is a zip archive: unpack it first",
            [0x73, 0x6e, 0x6f, 0x6f] => "it looks like a snoop file: convert it with 'editcap FILE OUT.pcapng'",
            _ => null,
        };
        string there = string.Create(CultureInfo.InvariantCulture, $"{Convert.ToHexStringLower(magic)} was there");
        return guess is null ? $"{Expected}, {there}" : $"{Expected}, {there}: {guess}";
    }
}
