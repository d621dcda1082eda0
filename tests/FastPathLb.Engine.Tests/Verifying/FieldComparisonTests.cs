using FastPathLb.Engine.Verifying;

namespace FastPathLb.Engine.Tests.Verifying;

public sealed class FieldComparisonTests
{
    /// <summary>A TCP segment with a time stamp option and four bytes, in VXLAN (50 bytes before the inner frame).</summary>
    private static readonly byte[] s_frame = Convert.FromHexString(
        "02fc0000000102fc000000020800" // outer Ethernet
        + "450000785e6840004011a6a5ac13bc7bac13b10e" // outer IPv4
        + "d2d312b500640000" // outer UDP
        + "0800000000100100" // VXLAN
        + "02420a00010502420a0001080800" // inner Ethernet
        + "450000380bd040004006187c0a0001080a000102" // inner IPv4
        + "8fc00050f32d803ce0b7bc478018 01fb504200000101080a701df9602df62149".Replace(" ", "", StringComparison.Ordinal)
        + "47455421");

    [Theory]
    [InlineData(0, "outer destination MAC", 0)]
    [InlineData(22, "outer IPv4 time to live", 22)]
    [InlineData(37, "outer UDP destination port", 36)]
    [InlineData(46, "VXLAN network identifier", 46)]
    [InlineData(57, "inner source MAC", 56)]
    [InlineData(72, "inner IPv4 time to live", 72)]
    [InlineData(79, "inner IPv4 source", 76)]
    [InlineData(98, "inner TCP window", 98)]
    [InlineData(110, "inner TCP options", 110)]
    [InlineData(117, "payload", 116)]
    public void A_changed_byte_names_its_field(int index, string name, int offset)
    {
        byte[] changed = [.. s_frame];
        changed[index] ^= 0x55;

        FieldDifference difference = Assert.Single(FieldComparison.Compare(s_frame, changed));
        Assert.Equal(name, difference.Name);
        Assert.Equal(offset, difference.OffsetBytes);
        Assert.NotEqual(difference.Expected, difference.Actual);
    }

    [Theory]
    [InlineData(18)]
    [InlineData(24)]
    [InlineData(34)]
    [InlineData(40)]
    public void What_the_kernel_draws_of_the_outer_headers_is_no_difference(int index)
    {
        byte[] changed = [.. s_frame];
        changed[index] ^= 0x55;

        Assert.Empty(FieldComparison.Compare(s_frame, changed));
    }

    [Fact]
    public void Frames_of_different_length_do_not_line_up() => Assert.Empty(FieldComparison.Compare(s_frame, s_frame.AsSpan(1)));

    [Fact]
    public void Any_bytes_can_be_compared()
    {
        Random random = new(7);
        for (int round = 0; round < 2_000; round++)
        {
            byte[] expected = [.. s_frame.AsSpan(0, random.Next(s_frame.Length + 1))];
            byte[] actual = [.. expected];
            for (int change = 0; change < 4 && expected.Length > 0; change++)
            {
                expected[random.Next(expected.Length)] = (byte)random.Next(256);
                actual[random.Next(actual.Length)] = (byte)random.Next(256);
            }

            Assert.All(
                FieldComparison.Compare(expected, actual), field => Assert.InRange(field.OffsetBytes, 0, expected.Length - 1));
        }
    }
}
