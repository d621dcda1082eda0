using PacketDotNet;
using PacketDotNet.Utils;

namespace FastPathLb.SharpPcap.Tests;

/// <summary>What a comparison of frames has found so far.</summary>
internal sealed class Findings
{
    private readonly List<string> _differences = [];
    private readonly SortedDictionary<string, int> _compared = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, int> _passed = new(StringComparer.Ordinal);

    /// <summary>The frame that is compared, as messages name it.</summary>
    public string Where { get; set; } = "";

    /// <summary>What the two do not agree on, one line each.</summary>
    public IReadOnlyList<string> Differences => _differences;

    /// <summary>How many headers of each kind were compared.</summary>
    public IReadOnlyDictionary<string, int> Compared => _compared;

    /// <summary>What was not compared, and how often.</summary>
    public IReadOnlyDictionary<string, int> Passed => _passed;

    /// <summary>The packet that PacketDotNet finds in another where we find one; that it finds none is a difference.</summary>
    /// <param name="path">The headers down to it.</param>
    /// <param name="parent">What carries it.</param>
    /// <param name="carried">The packet.</param>
    /// <param name="whyItThrows">Why PacketDotNet may throw, where there is a reason that lies with PacketDotNet.</param>
    public bool TryGetCarried<T>(string path, Packet parent, out T? carried, string? whyItThrows = null)
        where T : Packet
    {
        try
        {
            carried = parent.PayloadPacket as T;
            if (carried is null)
            {
                Differ($"{path}: we have one, PacketDotNet has {parent.PayloadPacket?.GetType().Name ?? "nothing"}");
            }
        }
        catch (Exception) when (whyItThrows is not null)
        {
            Pass(whyItThrows);
            carried = null;
        }
        catch (Exception problem)
        {
            Differ($"{path}: we have one, PacketDotNet throws {problem.GetType().Name}: {problem.Message}");
            carried = null;
        }

        return carried is not null;
    }

    /// <summary>Both have a field alike.</summary>
    public void Equal<T>(string field, T ours, T theirs)
    {
        if (!EqualityComparer<T>.Default.Equals(ours, theirs))
        {
            Differ($"{field}: ours {ours}, PacketDotNet's {theirs}");
        }
    }

    /// <summary>Both have the same bytes.</summary>
    public void Same(string field, ReadOnlySpan<byte> ours, ByteArraySegment theirs, int offset = 0)
    {
        byte[] bytes = theirs.ActualBytes();
        if (!ours.SequenceEqual(bytes.AsSpan(offset)))
        {
            Differ($"{field}: ours {ours.Length} bytes, PacketDotNet's {bytes.Length - offset}, "
                + $"the same up to byte {ours.CommonPrefixLength(bytes.AsSpan(offset))}");
        }
    }

    private void Differ(string difference) => _differences.Add($"{Where}: {difference}");

    /// <summary>A header is compared.</summary>
    public void Count(string header) => _compared[header] = _compared.GetValueOrDefault(header) + 1;

    /// <summary>There is nothing to compare with, for a reason that lies with PacketDotNet.</summary>
    public void Pass(string reason) => _passed[reason] = _passed.GetValueOrDefault(reason) + 1;
}
