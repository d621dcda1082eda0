using System.Runtime.InteropServices;

namespace FastPathLb.Engine.Verifying;

/// <summary>Says in which fields two frames of one length differ, for people who look for the cause.</summary>
public static class FieldComparison
{
    /// <summary>What the kernel draws of the outer headers, and what depends on it: not compared.</summary>
    private static readonly string[] s_drawn =
        ["outer IPv4 identification", "outer IPv4 checksum", "outer UDP source port", "outer UDP checksum"];

    /// <summary>The fields that differ, in order; none where the lengths differ, since nothing then lines up.</summary>
    public static IReadOnlyList<FieldDifference> Compare(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual)
    {
        List<FieldDifference> differences = [];
        if (expected.Length != actual.Length)
        {
            return differences;
        }

        foreach (ref readonly FrameField field in CollectionsMarshal.AsSpan(FrameFields.Of(expected)))
        {
            ReadOnlySpan<byte> wanted = expected.Slice(field.OffsetBytes, field.LengthBytes);
            ReadOnlySpan<byte> emitted = actual.Slice(field.OffsetBytes, field.LengthBytes);
            int same = wanted.CommonPrefixLength(emitted);
            if (same == field.LengthBytes || Array.IndexOf(s_drawn, field.Name) >= 0)
            {
                continue;
            }

            // Of a payload, eight bytes from the first difference on; of a field, all.
            int start = field.LengthBytes > FrameFields.FieldBytesMax ? same : 0;
            int length = Math.Min(field.LengthBytes - start, FrameFields.FieldBytesMax);
            differences.Add(new FieldDifference(
                field.Name, field.OffsetBytes + start, Convert.ToHexStringLower(wanted.Slice(start, length)),
                Convert.ToHexStringLower(emitted.Slice(start, length))));
        }

        return differences;
    }
}
