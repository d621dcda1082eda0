using System.Diagnostics;
using System.Runtime.Versioning;
using System.Text.Json;
using Xunit.Abstractions;

namespace FastPathLb.NodeState.Tests;

/// <summary>collect.sh run against stand-ins for docker, nsenter, ip …, which answer as the real Swarm's node did.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class CollectScriptTests(ITestOutputHelper output) : IDisposable
{
    private static readonly string s_script = Path.Combine(
        Path.GetDirectoryName(Recordings.Root)!,
        "src",
        "FastPathLb.NodeState",
        "collect.sh");
    private static readonly string s_swarm = Recordings.Folder("swarm-web");

    private readonly string _folder = Directory.CreateTempSubdirectory("collect-").FullName;

    private string Tools => Path.Combine(_folder, "tools");

    private string Out => Path.Combine(_folder, "out");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("bash")]
    [InlineData("sh")]
    public void The_script_has_no_error_of_syntax(string shell) => Assert.Equal((0, ""), Run(shell, "-n", s_script));

    [Fact]
    public void The_script_has_nothing_that_shellcheck_minds()
    {
        if (!File.Exists("/usr/bin/shellcheck"))
        {
            output.WriteLine("skipped: shellcheck is not installed");
            return;
        }

        Assert.Equal((0, ""), Run("/usr/bin/shellcheck", s_script));
    }

    [Fact]
    public void What_it_collects_is_the_nodes_state()
    {
        PrepareNode(withIpvsadm: true);

        (int code, string text) = Run("sh", s_script, "-o", Out, "mynet");

        output.WriteLine(text);
        Assert.Equal(0, code);
        Assert.Contains(" files in ", text, StringComparison.Ordinal);
        AssertCollected();
        Assert.True(File.Exists(Path.Combine(Out, "lb.ipvsadm-nosort.txt")));
        Assert.False(File.Exists(Path.Combine(Out, "lb.proc-ip_vs.txt")));
    }

    [Fact]
    public void Without_ipvsadm_the_kernel_itself_is_asked()
    {
        PrepareNode(withIpvsadm: false);

        (int code, string text) = Run("sh", s_script, "-o", Out);

        output.WriteLine(text);
        Assert.Equal(0, code);
        Assert.Contains("ipvsadm is not installed", text, StringComparison.Ordinal);
        Assert.Contains("network mynet is lb.* and overlay.*", text, StringComparison.Ordinal);
        AssertCollected();
    }

    [Fact]
    public void What_it_could_not_get_it_says()
    {
        PrepareNode(withIpvsadm: true);
        File.Delete(Path.Combine(Tools, "bridge"));
        Tool("sysctl", "echo 'sysctl: no' >&2; exit 1");
        Tool("docker-node", "echo 'Error response from daemon: This node is not a swarm manager.' >&2; exit 1");

        (int code, string text) = Run("sh", s_script, "-o", Out, "nonet");

        output.WriteLine(text);
        Assert.Equal(0, code);
        Assert.Contains("could not get lb-mynet.bridge-fdb.txt: bridge (of iproute2) is not installed", text, StringComparison.Ordinal);
        Assert.Contains("could not get host.sysctl.txt: settings failed", text, StringComparison.Ordinal);
        Assert.Contains(
            "could not get node-ls.txt: Error response from daemon: This node is not a swarm manager.",
            text,
            StringComparison.Ordinal);
        Assert.Contains(
            "could not get lb.*: there is no overlay network 'nonet' here (there is: ingress mynet )",
            text,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-h", 0)]
    [InlineData("-x", 2)]
    public void It_tells_how_it_is_used(string option, int expected)
    {
        (int code, string text) = Run("sh", s_script, option);

        Assert.Equal(expected, code);
        Assert.Contains("collect.sh [-o DIR] [NETWORK]", text, StringComparison.Ordinal);
    }

    private void AssertCollected()
    {
        NodeState expected = Recordings.Read("swarm-web");
        NodeState node = NodeDumpReader.Read(Out);
        Assert.Equal(expected.Namespaces.Keys.Order(StringComparer.Ordinal), node.Namespaces.Keys.Order(StringComparer.Ordinal));
        foreach (string name in (string[])["lb", "overlay", "ingress", "ingress-overlay"])
        {
            Assert.Empty(NodeStateDifferences.Between(Only(expected, name), Only(node, name)));
        }

        Assert.True(node["lb"].IpvsOrderKnown);
        Assert.Null(node["lb"].IpvsTimeouts);
        Assert.Equal(expected.Docker.Nodes, node.Docker.Nodes);
        Assert.Equal(new DockerInfo("x", Wire.Ipv4Address.Parse("172.19.177.14"), 4789), node.Docker.Info);
        Assert.Equal(2, node.Docker.Containers.Count);
        Assert.Equal(expected.Docker.Services.Select(service => service.Name), node.Docker.Services.Select(service => service.Name));
        Assert.Equal("10.0.1.3", Assert.Single(node.Docker.Tasks).Addresses[0].Address.ToString());
    }

    private static NodeState Only(NodeState node, string name) =>
        node with { Namespaces = new Dictionary<string, NamespaceState> { [name] = node[name] } };

    // A node whose namespaces are files, and whose tools answer from the recording.
    private void PrepareNode(bool withIpvsadm)
    {
        Directory.CreateDirectory(Tools);
        Directory.CreateDirectory(Path.Combine(_folder, "netns"));
        foreach ((string file, string name) in (ReadOnlySpan<(string, string)>)
        [
            ("lb_wzuo2c933", "lb"), ("1-wzuo2c933e", "overlay"), ("ingress_sbox", "ingress"), ("1-n4r60hwl16", "ingress-overlay"),
        ])
        {
            File.WriteAllText(Path.Combine(_folder, "netns", file), name);
        }

        foreach (string tool in (
            string[])["sed",
            "date",
            "uname",
            "mkdir",
            "mktemp",
            "rm",
            "id",
            "head",
            "cp",
            "cat",
            "grep",
            "awk",
            "cut",
            "tr",
            "sh",
            "dirname"])
        {
            string path = File.Exists($"/usr/bin/{tool}") ? $"/usr/bin/{tool}" : $"/bin/{tool}";
            File.CreateSymbolicLink(Path.Combine(Tools, tool), path);
        }

        Tool("nsenter", "file=${1#--net=}; shift; NODE_NS=$(cat \"$file\") exec \"$@\"");
        Tool(
            "ip",
            $"case $* in '-d addr') kind=ip-addr;; '-4 neigh') kind=ip-neigh;; '-4 -d route') kind=ip-route;; *) exit 1;; esac\ncat {s_swarm}/${{NODE_NS:-host}}.$kind.txt 2>/dev/null || :");
        Tool("bridge", $"cat {s_swarm}/${{NODE_NS:-host}}.bridge-fdb.txt 2>/dev/null || :");
        Tool("iptables-save", $"[ \"$*\" = -c ] && cat {s_swarm}/${{NODE_NS:-host}}.iptables-save.txt");
        Tool("sysctl", $"cat {s_swarm}/${{NODE_NS:-lb}}.sysctl.txt; echo kernel.hostname = x");
        if (withIpvsadm)
        {
            Tool("ipvsadm-save", $"cat {s_swarm}/$NODE_NS.ipvsadm-save.txt");
            Tool(
                "ipvsadm",
                $"case $* in '-Ln --nosort') cat {_folder}/nosort.$NODE_NS;; '-L --timeout') echo 'Timeout (tcp tcpfin udp): 900 120 300';; *) exit 1;; esac");
        }
        else
        {
            File.Delete(Path.Combine(Tools, "cat"));
            Tool("cat", $"[ \"$*\" = /proc/net/ip_vs ] && exec /bin/cat {_folder}/proc.$NODE_NS\nexec /bin/cat \"$@\"");
        }

        WriteServices();
        WriteDocker();
    }

    // As the kernel lists them: the last added first.
    private void WriteServices()
    {
        const string Head = "IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n";
        foreach (string name in (string[])["lb", "ingress"])
        {
            IReadOnlyList<IpvsServiceState> services = Recordings.Read("swarm-web")[name].IpvsServices;
            File.WriteAllText(Path.Combine(_folder, $"nosort.{name}"), Head + string.Concat(services.Select(service =>
                $"FWM  {service.Fwmark} {service.Scheduler}\n" + string.Concat(service.Servers.Reverse()
                    .Select(server => $"  -> {server.Address}:{server.Port}  Masq  {server.Weight}  0  0\n")))));
            File.WriteAllText(Path.Combine(_folder, $"proc.{name}"), Head + string.Concat(services.Select(service =>
                $"FWM  {service.Fwmark:X8} {service.Scheduler} \n" + string.Concat(service.Servers.Reverse()
                    .Select(server => $"  -> {server.Address.Value:X8}:{server.Port:X4}      Masq    {server.Weight}      0          0         \n")))));
        }
    }

    private void WriteDocker()
    {
        Lines("services.json", File.ReadAllText(Path.Combine(s_swarm, "service-inspect.json")));
        Lines("containers.json", File.ReadAllText(Path.Combine(s_swarm, "container-inspect.json")));
        Lines(
            "tasks.json",
            """[{"ID":"t","ServiceID":"s","Status":{"State":"running"},"NetworksAttachments":[{"Network":{"ID":"n"},"Addresses":["10.0.1.3/24"]}]}]""");
        Tool("docker-node", $"cat {s_swarm}/node-ls.txt");
        Tool(
            "docker",
            $$"""
            case "$*" in
                'network ls '*) echo 'n4r60hwl16swahbc1xanx2f87 ingress'; echo 'wzuo2c933e1ye22b2793nf4tu mynet' ;;
                'network inspect --format {{"{{.Ingress}}"}} ingress') echo true ;;
                'network inspect --format {{"{{.Ingress}}"}} '*) echo false ;;
                'network inspect -v '*) cat {{s_swarm}}/network-inspect-v.$4.json ;;
                'network inspect docker_gwbridge') cat {{s_swarm}}/network-inspect.gwbridge.json ;;
                'network inspect '*) cat {{s_swarm}}/network-inspect.$3.json ;;
                'ps -q '*) echo fd3fd4aece3c; echo 401a74b7ce00 ;;
                'inspect --type task '*) cat {{_folder}}/tasks.json ;;
                'inspect '*) cat {{_folder}}/containers.json ;;
                'node ls') exec docker-node ;;
                'info '*) echo '{"Swarm":{"NodeID":"x","NodeAddr":"172.19.177.14","Cluster":{"DataPathPort":4789} } }' ;;
                'service ls -q') echo pd3ped3dsrku ;;
                'service ps '*) echo t ;;
                'service inspect '*) cat {{_folder}}/services.json ;;
                *) echo "docker: $*?" >&2; exit 1 ;;
            esac
            """);
    }

    // One object a line, as a format with json makes it.
    private void Lines(string file, string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        File.WriteAllLines(Path.Combine(_folder, file), document.RootElement.EnumerateArray()
            .Select(item => JsonSerializer.Serialize(item)));
    }

    private void Tool(string name, string body)
    {
        string path = Path.Combine(Tools, name);
        File.WriteAllText(path, $"#!/bin/sh\n{body}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private (int Code, string Text) Run(string program, params string[] arguments)
    {
        string path = Path.IsPathRooted(program) ? program : $"/bin/{program}";
        using Process process = new()
        {
            StartInfo = new ProcessStartInfo(
                path,
                arguments)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                WorkingDirectory = _folder
            },
        };
        process.StartInfo.Environment["NETNS_DIR"] = Path.Combine(_folder, "netns");
        if (Directory.Exists(Tools))
        {
            process.StartInfo.Environment["PATH"] = Tools;
        }

        process.Start();
        Task<string> error = process.StandardError.ReadToEndAsync();
        string text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, text + error.GetAwaiter().GetResult());
    }
}
