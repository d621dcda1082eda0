using System.Text.Json;
using FastPathLb.NodeState;
using FastPathLb.TestKit;
using FastPathLb.Wire;

namespace FastPathLb.Discovery.Tests;

public sealed class ResolverTests
{
    private const string WebTask1 = "web.1.mc5seird2uab95ojhim0biikn";
    private static readonly DockerState s_docker = Recordings.ReadNode("swarm-web").Docker;

    private static DockerNetwork Mynet => s_docker.FindNetwork("mynet")!;

    [Theory]
    [InlineData("swarm-web")]
    [InlineData("swarm-scale")]
    public void Every_service_and_task_of_network_inspect_resolves(string recording)
    {
        EmbeddedResolver resolver = new(Recordings.ReadNode(recording).Docker);
        using JsonDocument inspect = JsonDocument.Parse(File.ReadAllText(Recordings.PathOf(recording, "network-inspect-v.mynet.json")));
        JsonProperty[] services = [.. inspect.RootElement[0].GetProperty("Services").EnumerateObject()];
        Assert.Equal(2, services.Length);
        foreach (JsonProperty service in services)
        {
            Assert.Equal([service.Value.GetProperty("VIP").GetString()!], Ask(resolver, service.Name));
            JsonElement[] tasks = [.. service.Value.GetProperty("Tasks").EnumerateArray()];
            Assert.NotEmpty(tasks);
            Assert.Equal(
                tasks.Select(task => task.GetProperty("EndpointIP").GetString()!).Order(), Ask(resolver, $"tasks.{service.Name}").Order());
            foreach (JsonElement task in tasks)
            {
                string name = task.GetProperty("Name").GetString()!;
                string address = task.GetProperty("EndpointIP").GetString()!;
                Assert.Equal([address], Ask(resolver, name));
                Assert.Equal(
                    $"{name}.mynet",
                    resolver.Resolve(EmbeddedResolver.ReverseName(Ipv4Address.Parse(address)), DnsRecordType.Ptr).HostName);
            }
        }
    }

    [Theory]
    [InlineData("web.mynet", "10.0.1.2")]
    [InlineData("WEB", "10.0.1.2")]
    [InlineData("web.", "10.0.1.2")]
    [InlineData("401a74b7ce00", "10.0.1.8")]
    [InlineData("client.1.ixzmljmix9f5lwmmy5zi9bqzc", "10.0.1.8")]
    public void Other_spellings_and_container_aliases_resolve(string name, string address) =>
        Assert.Equal([address], Ask(new EmbeddedResolver(s_docker), name));

    [Theory]
    [InlineData("example.org", DnsRecordType.A)]
    [InlineData("mynet-endpoint", DnsRecordType.A)]
    [InlineData("tasks", DnsRecordType.A)]
    [InlineData("", DnsRecordType.A)]
    [InlineData("2.1.0.10.in-addr.arpa", DnsRecordType.Ptr)]
    [InlineData("1.0.10.in-addr.arpa", DnsRecordType.Ptr)]
    [InlineData("web", (DnsRecordType)16)]
    public void What_Docker_would_ask_upstream_is_refused(string name, DnsRecordType type)
    {
        DnsAnswer answer = new EmbeddedResolver(s_docker).Resolve(name, type);
        Assert.Equal(DnsResponseCode.Refused, answer.Code);
        Assert.Empty(answer.Addresses);
        Assert.NotEmpty(answer.Reason);
    }

    [Fact]
    public void A_name_without_an_IPv6_address_is_known_all_the_same()
    {
        DnsAnswer answer = new EmbeddedResolver(s_docker).Resolve("web", DnsRecordType.Aaaa);
        Assert.Equal(DnsResponseCode.NoError, answer.Code);
        Assert.Empty(answer.Addresses);
    }

    [Fact]
    public void A_services_alias_resolves_as_its_name_does()
    {
        DockerService web = s_docker.Services.Single(service => service.Name == "web");
        DockerState docker = s_docker with { Services = [web with { Networks = [new DockerAttachment(Mynet.Id, ["shop"])] }] };
        EmbeddedResolver resolver = new(docker);
        Assert.Equal(["10.0.1.2"], Ask(resolver, "shop"));
        Assert.Equal(["10.0.1.3", "10.0.1.4"], Ask(resolver, "tasks.shop").Order());
    }

    [Fact]
    public void Without_a_VIP_the_name_is_all_tasks_in_an_order_that_changes()
    {
        DockerNetworkService web = Mynet.Services.Single(service => service.Name == "web");
        DockerNetwork network = Mynet with { Services = [web with { VirtualAddress = null }] };
        EmbeddedResolver resolver = new(s_docker with { Networks = [network] });
        List<string> first = [];
        for (int index = 0; index < 100; index++)
        {
            string[] addresses = Ask(resolver, "web");
            Assert.Equal(["10.0.1.3", "10.0.1.4"], addresses.Order());
            first.Add(addresses[0]);
        }

        // Both come first about as often: 100 throws of a coin are beyond 25 and 75 once in two million.
        Assert.InRange(first.Count(address => address == "10.0.1.3"), 25, 75);
    }

    [Fact]
    public void A_container_sees_the_networks_it_is_on()
    {
        DockerNetwork other = Mynet with
        {
            Name = "other",
            Id = "other",
            Services = [Mynet.Services[0] with { Name = "hidden" }],
            Endpoints = []
        };
        DockerState docker = s_docker with { Networks = [Mynet, other] };
        Assert.Equal(DnsResponseCode.NoError, new EmbeddedResolver(docker).Resolve("hidden", DnsRecordType.A).Code);
        Assert.Equal(DnsResponseCode.Refused, new EmbeddedResolver(docker, "client").Resolve("hidden", DnsRecordType.A).Code);
        Assert.Equal(["10.0.1.2"], Ask(new EmbeddedResolver(docker, "client"), "web"));
        Assert.Contains(
            "there is no container 'nobody'", Assert.Throws<NodeStateException>(() => new EmbeddedResolver(docker, "nobody")).Message);
    }

    [Fact]
    public void Without_a_network_it_says_what_is_missing() => Assert.Contains(
        "expected network-inspect-v.NET.json", Assert.Throws<NodeStateException>(() => new EmbeddedResolver(DockerState.Empty)).Message);

    [Fact]
    public void A_configuration_by_hand_has_the_names_it_gives()
    {
        NodeState.NodeState state = LbConfigReader.Parse(
            """
            lb: { address: 10.0.1.5/24 }
            services:
              - { name: web, vip: 10.0.1.2, servers: [10.0.1.3, 10.0.1.4] }
              - { vip: 10.0.1.9, servers: [10.0.1.3] }
              - { name: dns, vip: 10.0.1.7, protocol: udp, port: 53, servers: ["10.0.1.8:5353", "10.0.1.8:5354"] }
            """,
            "lb.yaml");
        EmbeddedResolver resolver = new(state);

        Assert.Equal(["lb"], resolver.Networks);
        Assert.Equal(["10.0.1.2"], Ask(resolver, "web"));
        Assert.Equal(["10.0.1.2"], Ask(resolver, "web.lb"));
        Assert.Equal(["10.0.1.3", "10.0.1.4"], Ask(resolver, "tasks.web").Order());
        Assert.Equal(["10.0.1.7"], Ask(resolver, "dns"));
        Assert.Equal(["10.0.1.8"], Ask(resolver, "tasks.dns"));
        Assert.Equal(DnsResponseCode.Refused, resolver.Resolve("", DnsRecordType.A).Code);
        Assert.Equal(
            DnsResponseCode.Refused,
            resolver.Resolve(EmbeddedResolver.ReverseName(Ipv4Address.Parse("10.0.1.3")), DnsRecordType.Ptr).Code);
        Assert.Contains(
            "a service with a name and a VIP",
            Assert.Throws<NodeStateException>(() => new EmbeddedResolver(LbConfigReader.Parse("lb: { address: 10.0.1.5/24 }", "y"))).Message);
    }

    [Fact]
    public void Dockers_files_go_before_names_by_hand()
    {
        NodeState.NodeState state = Recordings.ReadNode("swarm-web") with
        {
            NamedServices = [new NamedService("web", Ipv4Address.Parse("10.0.9.9"), [])],
        };
        Assert.Equal(["10.0.1.2"], Ask(new EmbeddedResolver(state), "web"));
    }

    [Fact]
    public void An_answer_on_the_wire_is_Dockers()
    {
        Reply reply = Exchange(StubResolver.Query("tasks.web", 1, id: 0xBEEF));
        Assert.Equal(0xBEEF, reply.Id);
        Assert.Equal(0x8180, reply.Flags);
        Assert.Equal(["tasks.web A 10.0.1.3", "tasks.web A 10.0.1.4"], reply.Records.Order());
        Assert.Equal([600u, 600u], reply.Lives);

        reply = Exchange(StubResolver.Query("3.1.0.10.in-addr.arpa", 12));
        Assert.Equal([$"3.1.0.10.in-addr.arpa PTR {WebTask1}.mynet"], reply.Records);

        reply = Exchange(StubResolver.Query("example.org", 1, payloadMax: 1232));
        Assert.Equal((5, 1, 0), (reply.Code, reply.Additional, reply.Records.Count));
    }

    [Fact]
    public void More_tasks_than_fit_are_cut_and_said_to_be()
    {
        IReadOnlyList<DockerNetworkTask> tasks =
            [.. Enumerable.Range(0, 100)
                .Select(index => new DockerNetworkTask($"big.{index}", "", new Ipv4Address(0x0A000200 + (uint)index), null))];
        DockerNetwork network = Mynet with { Services = [new DockerNetworkService("big", null, [], 0, tasks)] };
        EmbeddedResolver resolver = new(s_docker with { Networks = [network] });
        Reply small = Exchange(StubResolver.Query("big", 1), resolver);
        Assert.True(small.IsTruncated);
        Assert.Equal((512 - 12 - 9) / 16, small.Records.Count);
        Reply large = Exchange(StubResolver.Query("big", 1, payloadMax: 4096), resolver);
        Assert.False(large.IsTruncated);
        Assert.Equal(100, large.Records.Distinct().Count());
    }

    [Fact]
    public void Damaged_queries_are_answered_with_an_error_or_not_at_all()
    {
        EmbeddedResolver resolver = new(s_docker);
        byte[] answer = new byte[DnsQuery.AnswerBytesMax];
        byte[] query = StubResolver.Query("tasks.web", 1);
        for (int length = 0; length < query.Length; length++)
        {
            int answered = resolver.Answer(query.AsSpan(0, length), answer);
            Assert.Equal(length < DnsQuery.HeaderBytes ? 0 : DnsQuery.HeaderBytes, answered);
            Assert.True(answered == 0 || StubResolver.Read(answer[..answered]).Code == 1);
        }

        byte[] response = [.. query];
        response[2] |= 0x80;
        Assert.Equal(0, resolver.Answer(response, answer));
        byte[] status = [.. query];
        status[2] |= 0x10;
        Assert.Equal(4, StubResolver.Read(answer[..resolver.Answer(status, answer)]).Code);

        Random random = new(7);
        for (int round = 0; round < 20_000; round++)
        {
            byte[] damaged = [.. query];
            for (int flips = random.Next(1, 6); flips > 0; flips--)
            {
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            }

            int answered = resolver.Answer(damaged, answer);
            Assert.True(answered == 0 || answered >= DnsQuery.HeaderBytes);
        }
    }

    [Fact]
    public async Task A_client_on_the_loopback_is_answered()
    {
        using ResolverSocket socket = new(new EmbeddedResolver(s_docker), new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        using CancellationTokenSource stop = new();
        Task running = socket.RunAsync(stop.Token);
        Assert.Equal(["web A 10.0.1.2"], (await StubResolver.AskAsync(socket.Address, StubResolver.Query("web", 1))).Records);
        Assert.Equal(5, (await StubResolver.AskAsync(socket.Address, StubResolver.Query("example.org", 1))).Code);
        await stop.CancelAsync();
        await running;
        Assert.Equal(2, socket.AnswerCount);
        Assert.Throws<IOException>(() => new ResolverSocket(new EmbeddedResolver(s_docker), socket.Address));
    }

    [Fact]
    public async Task Names_that_change_are_answered_anew()
    {
        EmbeddedResolver names = new(s_docker);
        using ResolverSocket socket = new(() => names, new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        using CancellationTokenSource stop = new();
        Task running = socket.RunAsync(stop.Token);
        Assert.Equal(5, (await StubResolver.AskAsync(socket.Address, StubResolver.Query("shop", 1))).Code);
        names = new EmbeddedResolver(s_docker with { Networks = [Mynet with { Services = [Mynet.Services[0] with { Name = "shop" }] }] });
        Assert.Single((await StubResolver.AskAsync(socket.Address, StubResolver.Query("shop", 1))).Records);
        await stop.CancelAsync();
        await running;
    }

    private static string[] Ask(EmbeddedResolver resolver, string name) =>
        [.. resolver.Resolve(name, DnsRecordType.A).Addresses.Select(address => address.ToString())];

    private static Reply Exchange(byte[] query, EmbeddedResolver? resolver = null)
    {
        byte[] answer = new byte[DnsQuery.AnswerBytesMax];
        int length = (resolver ?? new EmbeddedResolver(s_docker)).Answer(query, answer);
        return StubResolver.Read(answer[..length]);
    }
}
