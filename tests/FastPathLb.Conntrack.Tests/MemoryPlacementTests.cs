using System.Globalization;
using System.Runtime.CompilerServices;

namespace FastPathLb.Conntrack.Tests;

public sealed class MemoryPlacementTests
{
    private const int NodeThatIsNowhere = 1023;

    /// <summary>Every placement that a machine with one node has, and a small slab, whose memory would be the heap's otherwise.</summary>
    public static TheoryData<string, int> Placements { get; } = new()
    {
        { "local", 16 },
        { "local", 1 << 16 },
        { "interleave", 16 },
        { "interleave", 1 << 16 },
        { "0", 16 },
        { "0", 1 << 16 },
    };

    [Theory]
    [InlineData("local", MemoryPlacementKind.Local, 0)]
    [InlineData("interleave", MemoryPlacementKind.Interleave, 0)]
    [InlineData("0", MemoryPlacementKind.Node, 0)]
    [InlineData("12", MemoryPlacementKind.Node, 12)]
    public void Words_and_numbers_are_read_and_written(string text, MemoryPlacementKind kind, int node)
    {
        Assert.True(MemoryPlacement.TryParse(text, out MemoryPlacement placement));
        Assert.Equal(new MemoryPlacement(kind, node), placement);
        Assert.Equal(text, placement.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("-1")]
    [InlineData("0-1")]
    [InlineData("Local")]
    [InlineData("node0")]
    public void Other_words_are_refused(string text) => Assert.False(MemoryPlacement.TryParse(text, out _));

    [Fact]
    public void A_node_that_is_not_there_is_a_problem_and_those_that_are_there_are_none()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Contains("Linux", new MemoryPlacement(MemoryPlacementKind.Local).FindProblem());
            return;
        }

        Assert.StartsWith(
            $"there is no NUMA node {NodeThatIsNowhere} with memory here, but ",
            new MemoryPlacement(MemoryPlacementKind.Node, NodeThatIsNowhere).FindProblem());
        Assert.All(MemoryPlacement.Nodes.ToArray(), node => Assert.Null(new MemoryPlacement(MemoryPlacementKind.Node, node).FindProblem()));
        Assert.Null(new MemoryPlacement(MemoryPlacementKind.Interleave).FindProblem());
        Assert.Null(default(MemoryPlacement).FindProblem());
    }

    [PolicyTheory]
    [MemberData(nameof(Placements))]
    public void The_kernel_tells_the_placement_that_was_asked_for(string text, int capacity)
    {
        Assert.True(MemoryPlacement.TryParse(text, out MemoryPlacement placement));
        using ConnectionTable table = new(capacity, placement: placement);

        Assert.Equal(placement, table.Store.ReadPlacement());

        // It is memory like any other.
        table[capacity - 1].IpvsExpires = 7;
        Assert.Equal(7, table[capacity - 1].IpvsExpires);
        Assert.Equal(0, table[0].IpvsExpires);
    }

    [PolicyFact]
    public void Without_one_the_policy_is_the_process_s()
    {
        using ConnectionTable table = new(1 << 16);

        Assert.Equal(default(MemoryPlacement), table.Store.ReadPlacement());
    }

    [PolicyTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void Huge_pages_are_asked_for_unless_little_is_used(bool isSparse)
    {
        using Slab<long> memory = new(1 << 20, default(MemoryPlacement) with { IsSparse = isSparse });

        // proc_pid_smaps(5): "hg" is what madvise(MADV_HUGEPAGE) leaves.
        Assert.Equal(!isSparse, FlagsAt(AddressOf(memory)).Contains("hg"));
    }

    [Fact]
    public void A_node_that_the_kernel_refuses_is_named()
    {
        if (OperatingSystem.IsLinux())
        {
            MemoryPlacement nowhere = new(MemoryPlacementKind.Node, NodeThatIsNowhere);
            ArgumentException refused = Assert.Throws<ArgumentException>(() => new ConnectionTable(64, placement: nowhere));
            Assert.Contains($"the kernel refuses memory on NUMA nodes '{NodeThatIsNowhere}'", refused.Message);
        }
    }

    // What lies on no heap of the collector's stays where it is.
    private static ulong AddressOf(Slab<long> memory) => (ulong)Unsafe.ByteOffset(ref Unsafe.NullRef<long>(), ref memory[0]);

    private static string[] FlagsAt(ulong address)
    {
        bool isFound = false;
        foreach (string line in File.ReadLines("/proc/self/smaps"))
        {
            string[] words = line.Split((char[])[' ', '-'], StringSplitOptions.RemoveEmptyEntries);
            if (words.Length > 1 && ulong.TryParse(words[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong first)
                && ulong.TryParse(words[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong end))
            {
                isFound = first <= address && address < end;
            }
            else if (isFound && words[0] == "VmFlags:")
            {
                return words;
            }
        }

        throw new InvalidDataException("no mapping holds the memory");
    }

    /// <summary>Skipped where the kernel does not say what its policy of memory is.</summary>
    internal static string? FindMissing()
    {
        using Slab<long> slab = new(1 << 19);
        return slab.ReadPlacement() is null ? "the system forbids get_mempolicy, or is no Linux with NUMA" : null;
    }

    [AttributeUsage(AttributeTargets.Method)]
    private sealed class PolicyFactAttribute : FactAttribute
    {
        public PolicyFactAttribute() => Skip = FindMissing();
    }

    [AttributeUsage(AttributeTargets.Method)]
    private sealed class PolicyTheoryAttribute : TheoryAttribute
    {
        public PolicyTheoryAttribute() => Skip = FindMissing();
    }
}
