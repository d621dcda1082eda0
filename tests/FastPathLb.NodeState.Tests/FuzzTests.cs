using System.Diagnostics;
using Xunit.Abstractions;

namespace FastPathLb.NodeState.Tests;

public sealed class FuzzTests(ITestOutputHelper output)
{
    private const int Seed = 20261122;
    private const int CountMin = 1000;
    private static readonly TimeSpan s_time = TimeSpan.FromSeconds(2);

    /// <summary>Two seconds; longer with FASTPATHLB_FUZZ_SECONDS.</summary>
    internal static TimeSpan Time => double.TryParse(Environment.GetEnvironmentVariable("FASTPATHLB_FUZZ_SECONDS"), out double seconds)
        ? TimeSpan.FromSeconds(seconds)
        : s_time;

    [Fact]
    public void No_cut_or_broken_text_makes_a_reader_throw_anything_of_its_own()
    {
        (string Kind, string Text)[] samples = [.. Samples()];
        Random random = new(Seed);
        Stopwatch watch = Stopwatch.StartNew();
        int count = 0;
        int refused = 0;
        for (; count < CountMin || watch.Elapsed < Time; count++)
        {
            (string kind, string text) = samples[random.Next(samples.Length)];
            string broken = Break(text, random);
            try
            {
                Readers.ByName[kind](broken, "f");
            }
            catch (NodeStateException exception)
            {
                refused++;
                Assert.False(exception.Message.Contains('\n', StringComparison.Ordinal), $"{kind}: {exception.Message}");
            }
            catch (Exception exception)
            {
                Assert.Fail($"{kind}, seed {Seed}, round {count}: {exception}\n{Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(broken))}");
            }
        }

        output.WriteLine($"{count} texts, {refused} refused");
        Assert.True(count > 500 && refused > count / 20, $"{count} texts, {refused} refused");
    }

    private static IEnumerable<(string Kind, string Text)> Samples()
    {
        foreach (string folder in (string[])["swarm-web", "rr-two-services", "sched-mh-mh-port", "persistence"])
        {
            foreach (string path in Directory.GetFiles(Recordings.Folder(folder)))
            {
                string name = Path.GetFileName(path);
                string? kind = KindOf(name);
                if (kind is not null)
                {
                    yield return (kind, File.ReadAllText(path));
                }
            }

            yield return ("yaml", LbConfigWriter.Write(Recordings.Read(folder)));
        }

        yield return ("events", Recordings.Text("swarm-scale", "events.txt"));
        yield return ("events", CommandTests.AllForms);
        yield return ("yaml", ConfigTests.AllKeys);
        yield return ("checkpoints", Recordings.Text("chaos-1", "checkpoints.txt"));
        yield return ("proc", DumpReaderTests.ProcText);
        yield return ("timeouts", "Timeout (tcp tcpfin udp): 900 120 300\n");
    }

    private static string? KindOf(string name) => name switch
    {
        _ when name.EndsWith(".ip-addr.txt", StringComparison.Ordinal) => "addr",
        _ when name.EndsWith(".ip-neigh.txt", StringComparison.Ordinal) => "neigh",
        _ when name.EndsWith(".ip-route.txt", StringComparison.Ordinal) => "route",
        _ when name.EndsWith(".bridge-fdb.txt", StringComparison.Ordinal) => "fdb",
        _ when name.EndsWith(".iptables-save.txt", StringComparison.Ordinal) => "iptables",
        _ when name.EndsWith(".ipvsadm-save.txt", StringComparison.Ordinal) => "save",
        _ when name.EndsWith(".ipvsadm-Ln.txt", StringComparison.Ordinal) => "list",
        _ when name.EndsWith(".sysctl.txt", StringComparison.Ordinal) => "sysctl",
        _ when name.Contains("network-inspect", StringComparison.Ordinal) => "network",
        "service-inspect.json" => "service",
        _ when name.StartsWith("container-inspect", StringComparison.Ordinal) => "container",
        "node-ls.txt" => "nodes",
        _ => null,
    };

    // One to four injuries: cut, changed, doubled, lost or strange characters, a line or word from elsewhere.
    private static string Break(string text, Random random)
    {
        for (int injury = random.Next(1, 5); injury > 0 && text.Length > 0; injury--)
        {
            int at = random.Next(text.Length);
            int length = Math.Min(random.Next(1, 20), text.Length - at);
            text = random.Next(8) switch
            {
                0 => text[..at],
                1 => text.Remove(at, length),
                2 => text.Insert(at, text.Substring(at, length)),
                3 => string.Concat(text.AsSpan(0, at), ((char)random.Next(1, 127)).ToString(), text.AsSpan(at + 1)),
                4 => text.Insert(at, new string((char)random.Next(0x80, 0xFFFF), random.Next(1, 3))),
                5 => text.Insert(at, random.Next(6) switch
                {
                    0 => "99999999999999999999",
                    1 => "-1",
                    2 => "\"",
                    3 => " ! - -- ",
                    4 => "\n",
                    _ => "[{:&*[[{{",
                }),
                6 => text[at..],
                _ => text.Replace(text.Substring(at, Math.Min(3, text.Length - at)), "", StringComparison.Ordinal),
            };
        }

        return text;
    }
}
