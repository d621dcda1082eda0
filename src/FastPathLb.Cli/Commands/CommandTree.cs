using System.CommandLine;
using System.CommandLine.Invocation;
using FastPathLb.Engine.Replaying;

namespace FastPathLb.Cli.Commands;

/// <summary>All commands, and the way from words to one of them.</summary>
internal static class CommandTree
{
    private const string Description =
        """
        FastPathLb replays captured traffic through Docker Swarm's load balancer (IPVS), frame for frame as Linux does it, or is that load
        balancer on a live network.

        Without arguments it replays a capture of its own and says what to try next.
        """;

    private static readonly string[] s_examples =
    [
        "fastpathlb",
        "fastpathlb replay captures/rr-two-services/underlay.pcap.gz",
        "fastpathlb verify --all captures",
        "fastpathlb show captures/ping-vip/lb-eth0.pcap.gz",
        "fastpathlb config --node captures/rr-basic",
        "fastpathlb topology --node captures/swarm-web --svg swarm.svg",
        "fastpathlb lint --node captures/swarm-web",
        "fastpathlb dns web --node captures/swarm-web",
        "fastpathlb run --tap tap0 --config lb.yaml",
        "fastpathlb bench",
    ];

    private static readonly (string Name, Func<CommandConsole, Command> Create)[] s_commands =
    [
        ("replay", ReplayCommand.Create),
        ("verify", VerifyCommand.Create),
        ("show", ShowCommand.Create),
        ("follow", FollowCommand.Create),
        ("config", ConfigCommand.Create),
        ("topology", TopologyCommand.Create),
        ("lint", LintCommand.Create),
        ("dns", DnsCommand.Create),
        ("run", RunCommand.Create),
        ("ctl", CtlCommand.Create),
        ("bench", BenchCommand.Create),
    ];

    /// <summary>Runs a command line.</summary>
    /// <exception cref="UsageException">It is no command line of this program.</exception>
    public static int Run(IReadOnlyList<string> args, CommandConsole console)
    {
        ParseResult parsed = Create(console, args.Count > 0 ? args[0] : "").Parse(args);
        if (parsed.Action is ParseErrorAction && parsed.Errors.Count > 0)
        {
            string name = parsed.CommandResult.Command is RootCommand ? "" : $" {parsed.CommandResult.Command.Name}";
            throw new UsageException($"{parsed.Errors[0].Message.TrimEnd('.')} (see 'fastpathlb{name} --help')");
        }

        return parsed.Invoke(new InvocationConfiguration
        {
            Output = console.Out,
            Error = console.Error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        });
    }

    /// <summary>The argument that names a capture.</summary>
    public static Argument<string> CaptureArgument() => new("IN")
    {
        Description = "Capture: pcap or pcapng, plain or .gz; '-' for standard input",
    };

    /// <summary>How a run ends: damage in the middle of a capture is told after what was made of the frames before it.</summary>
    /// <returns>The exit code.</returns>
    public static int EndOf(ReplaySummary summary, CommandConsole console)
    {
        if (summary.CaptureDamage is not { } damage)
        {
            return ExitCode.Success;
        }

        console.Error.WriteLine($"fastpathlb: {damage}");
        return ExitCode.BadInput;
    }

    /// <summary>Makes the tree. Of a command that is named first no other is made: that is a third of what starting up takes besides the runtime.</summary>
    internal static RootCommand Create(CommandConsole console, string named)
    {
        RootCommand root = new(Description);
        int only = Array.FindIndex(s_commands, command => command.Name == named);
        foreach ((string _, Func<CommandConsole, Command> create) in only < 0 ? s_commands : s_commands.AsSpan(only, 1))
        {
            root.Add(create(console));
        }

        root.SetAction(_ => FirstRun.Run(console));
        root.WithExamples(s_examples);
        return root;
    }
}
