using Xunit.Abstractions;

namespace FastPathLb.NodeState.Tests;

public sealed class ConfigRoundTripTests(ITestOutputHelper output)
{
    [Theory]
    [MemberData(nameof(Recordings.Names), MemberType = typeof(Recordings))]
    public void The_yaml_of_a_dump_reads_back_as_the_dump(string name) => AssertRoundTrip(Recordings.Read(name));

    [Fact]
    public void The_yaml_of_the_second_node_reads_back_as_its_dump() => AssertRoundTrip(Recordings.Read("swarm-web", "node2."));

    private void AssertRoundTrip(NodeState node)
    {
        string yaml = LbConfigWriter.Write(node);
        output.WriteLine(yaml);
        if (Environment.GetEnvironmentVariable("YAML_OUT") is { } folder)
        {
            File.WriteAllText(
                Path.Combine(folder, Path.GetFileName(node.Origin) + ".yaml"),
                yaml + string.Join('\n', node.Inferred.Select(x => "# " + x)));
        }

        NodeState back = LbConfigReader.Parse(yaml, "written.yaml");

        Assert.Empty(NodeStateDifferences.Between(node, back));
        Assert.Empty(back.Inferred);
    }
}
