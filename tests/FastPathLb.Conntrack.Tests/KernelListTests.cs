namespace FastPathLb.Conntrack.Tests;

public sealed class KernelListTests
{
    [Theory]
    [InlineData("0", new[] { 0 })]
    [InlineData("0-1\n", new[] { 0, 1 })]
    [InlineData("0,2-4", new[] { 0, 2, 3, 4 })]
    [InlineData("3,1", new[] { 3, 1 })]
    [InlineData("7-7,8191", new[] { 7, 8191 })]
    public void Numbers_and_ranges_are_read_in_their_order(string text, int[] numbers)
    {
        Assert.True(KernelList.TryParse(text, out int[] read));
        Assert.Equal(numbers, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData(",")]
    [InlineData("1,")]
    [InlineData("a")]
    [InlineData("-1")]
    [InlineData("1-")]
    [InlineData("3-1")]
    [InlineData("1-2-3")]
    [InlineData("0, 1")]
    [InlineData("+1")]
    [InlineData("1,0-2")]
    [InlineData("8192")]
    [InlineData("99999999999")]
    public void What_is_no_list_or_names_a_number_twice_is_refused(string text)
    {
        Assert.False(KernelList.TryParse(text, out int[] read));
        Assert.Empty(read);
    }

    [Theory]
    [InlineData(new int[0], "")]
    [InlineData(new[] { 5 }, "5")]
    [InlineData(new[] { 0, 1, 2, 4 }, "0-2,4")]
    [InlineData(new[] { 3, 1, 2 }, "3,1-2")]
    public void Numbers_are_written_with_neighbours_as_ranges(int[] numbers, string text) =>
        Assert.Equal(text, KernelList.Format(numbers));

    [Fact]
    public void A_file_that_is_not_there_is_no_list() => Assert.Null(KernelList.ReadFile("/nowhere/online"));
}
