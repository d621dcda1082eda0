namespace FastPathLb.NodeState.Tests;

public sealed class ReadmeTests
{
    private static readonly string s_text = File.ReadAllText(
        Path.Combine(Path.GetDirectoryName(Recordings.Root)!, "src", "FastPathLb.NodeState", "README.md"));

    [Fact]
    public void The_example_is_a_configuration_of_about_twenty_lines()
    {
        int start = s_text.IndexOf("```yaml\n", StringComparison.Ordinal) + "```yaml\n".Length;
        string yaml = s_text[start..s_text.IndexOf("```", start, StringComparison.Ordinal)];

        NodeState node = LbConfigReader.Parse(yaml, "README.md");

        Assert.InRange(yaml.Count(character => character == '\n'), 15, 25);
        Assert.Equal(["host", "lb", "overlay"], node.Namespaces.Keys.Order(StringComparer.Ordinal));
        Assert.Equal([0x101u, 0x100u], node["lb"].IpvsServices.Select(service => service.Fwmark));
    }

    [Fact]
    public void The_error_it_shows_is_the_one_that_is_made()
    {
        const string Yaml = "lb:\n  address: 10.0.1.5/24\n\n\n\nservices:\n  - name: web\n    vip: 10.0.1.2\n    schedular: rr\n";

        NodeStateException exception = Assert.Throws<NodeStateException>(() => LbConfigReader.Parse(Yaml, "lb.yaml"));

        Assert.Contains(exception.Message, s_text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("vni", "overlay")]
    [InlineData("source-ports", "overlay")]
    [InlineData("one-packet", "services")]
    [InlineData("ipvs-order-known", "namespaces")]
    public void Keys_are_described(string key, string section) =>
        Assert.Contains(s_text.Split('\n'), line => line.StartsWith($"| `{section}` ", StringComparison.Ordinal) && line.Contains($"`{key}`", StringComparison.Ordinal));
}
