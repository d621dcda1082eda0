using System.CommandLine;
using System.Net;
using FastPathLb.Cli.Options;
using FastPathLb.Cli.Output;
using FastPathLb.Discovery;
using FastPathLb.Wire;

namespace FastPathLb.Cli.Commands;

/// <summary><c>dns</c>: what Docker's embedded resolver answers in a container.</summary>
internal static class DnsCommand
{
    private const string A = "a";
    private const string Aaaa = "aaaa";
    private const string Ptr = "ptr";

    private static readonly string[] s_examples =
    [
        "fastpathlb dns web --node captures/swarm-web",
        "fastpathlb dns tasks.web --node captures/swarm-web",
        "fastpathlb dns 10.0.1.3 --node captures/swarm-web",
        "fastpathlb dns --listen 127.0.0.1:5353 --node captures/swarm-web    (then: dig @127.0.0.1 -p 5353 web)",
    ];

    /// <summary>The command.</summary>
    public static Command Create(CommandConsole console)
    {
        Argument<string?> name = new("NAME")
        {
            Description = "Name of a service, task or container, tasks.SERVICE; or an IPv4 address, for its name",
            Arity = ArgumentArity.ZeroOrOne,
        };
        NodeFolderOptions folder = new();
        Option<string?> type = OptionKinds.OneOf("--type", "What to ask for; a if not given, ptr for an address", A, Aaaa, Ptr);
        Option<string?> container = new("--from")
        {
            HelpName = "NAME",
            Description = "Container or task that asks: it sees the networks it is on. One on all networks if not given",
        };
        Option<string?> listen = new("--listen")
        {
            HelpName = "ADDRESS:PORT",
            Description = "Answer queries on this UDP address until Ctrl-C; port 0: any that is free",
        };
        Option<bool> json = new("--json") { Description = "One JSON document on standard output" };
        Command command = new(
            "dns", "Resolve a name as Docker's embedded resolver does. Exit code 1 where Docker itself has no answer") { name };
        folder.AddTo(command);
        command.Add(type);
        command.Add(container);
        command.Add(listen);
        command.Add(json);
        command.SetAction(parsed =>
        {
            EmbeddedResolver resolver = new(folder.Read(parsed).ReadState(), parsed.GetValue(container), Random.Shared.Next());
            return (parsed.GetValue(name), parsed.GetValue(listen)) switch
            {
                (null, { } address) => Listen(resolver, DnsAddress.Parse("--listen", address, null), console),
                ({ } asked, null) => Ask(resolver, asked, parsed.GetValue(type), parsed.GetValue(json), console),
                _ => throw new UsageException("a NAME to resolve, or --listen ADDRESS:PORT, is expected (see 'fastpathlb dns --help')"),
            };
        });
        return command.WithExamples(s_examples);
    }

    private static int Listen(EmbeddedResolver resolver, IPEndPoint address, CommandConsole console)
    {
        using ResolverSocket socket = new(resolver, address);
        console.Error.WriteLine($"answering for {string.Join(", ", resolver.Networks)} on {socket.Address}, until Ctrl-C");
        socket.RunAsync(console.Stop.Token).GetAwaiter().GetResult();
        console.Error.WriteLine($"{socket.AnswerCount} queries answered");
        return ExitCode.Success;
    }

    private static int Ask(EmbeddedResolver resolver, string name, string? word, bool isJson, CommandConsole console)
    {
        bool isAddress = Ipv4Address.TryParse(name, out Ipv4Address address);
        DnsRecordType type = (word ?? (isAddress ? Ptr : A)) switch
        {
            A => DnsRecordType.A,
            Aaaa => DnsRecordType.Aaaa,
            _ => DnsRecordType.Ptr,
        };
        DnsAnswer answer = resolver.Resolve(isAddress && type == DnsRecordType.Ptr ? EmbeddedResolver.ReverseName(address) : name, type);
        if (isJson)
        {
            DnsOutput.WriteJson(console.Out, name, type, answer);
        }
        else
        {
            DnsOutput.WriteText(console.Out, name, type, answer);
        }

        return answer.Code == DnsResponseCode.NoError ? ExitCode.Success : ExitCode.Different;
    }
}
