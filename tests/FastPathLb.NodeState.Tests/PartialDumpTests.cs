using System.Diagnostics;
using Xunit.Abstractions;

namespace FastPathLb.NodeState.Tests;

public sealed class PartialDumpTests(ITestOutputHelper output)
{
    private const int Seed = 6;
    private const int CountMin = 12;

    [Theory]
    [InlineData("swarm-web", "")]
    [InlineData("swarm-web", "node2.")]
    [InlineData("persistence", "")]
    public void Any_part_of_a_dump_is_completed_or_refused_and_what_is_completed_can_be_written(string name, string prefix)
    {
        string[] files =
        [
            .. Directory.GetFiles(Recordings.Folder(name))
                .Where(file => Path.GetExtension(file) != ".gz" && !file.Contains(".after.", StringComparison.Ordinal)),
        ];
        Random random = new(Seed);
        Stopwatch watch = Stopwatch.StartNew();
        int count = 0;
        int refused = 0;
        for (; count < CountMin || watch.Elapsed < FuzzTests.Time / 3; count++)
        {
            string folder = Directory.CreateTempSubdirectory("part-").FullName;
            double share = random.NextDouble();
            foreach (string file in files)
            {
                if (random.NextDouble() < share)
                {
                    File.CreateSymbolicLink(Path.Combine(folder, Path.GetFileName(file)), file);
                }
            }

            try
            {
                NodeState node = NodeDumpReader.Read(folder, prefix);
                string yaml = LbConfigWriter.Write(node);
                NodeState back = LbConfigReader.Parse(yaml, "written.yaml");
                Assert.True(
                    NodeStateDifferences.Between(node, back) is [],
                    $"seed {Seed}, round {count}\n{yaml}\n{string.Join('\n', NodeStateDifferences.Between(node, back))}");
            }
            catch (NodeStateException exception)
            {
                refused++;
                Assert.True(
                    exception.Message.StartsWith(folder, StringComparison.Ordinal),
                    $"seed {Seed}, round {count}: {exception.Message}");
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        }

        output.WriteLine($"{count} parts, {refused} refused");
        Assert.True(refused < count);
    }
}
