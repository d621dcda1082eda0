using System.Buffers;
using System.CommandLine;
using System.Text.Json;
using FastPathLb.Cli.Output;
using FastPathLb.Live.Control;

namespace FastPathLb.Cli.Commands;

/// <summary><c>ctl</c>: asks a running load balancer, and edits it as ipvsadm would.</summary>
internal static class CtlCommand
{
    private const string Reload = "reload";
    private static readonly string[] s_shown = ["services", "connections", "counters", "drops", "neighbors"];
    private static readonly string[] s_tools = ["ipvsadm", "iptables", "ip", "bridge", "sysctl"];

    private static readonly string[] s_examples =
    [
        "fastpathlb ctl services",
        "fastpathlb ctl connections --limit 20 --json",
        "fastpathlb ctl -- ipvsadm -a -f 257 -r 10.0.1.9 -m -w 1",
        "fastpathlb ctl -- ipvsadm -e -f 257 -r 10.0.1.3 -m -w 0",
        "fastpathlb ctl reload",
    ];

    /// <summary>The command.</summary>
    public static Command Create(CommandConsole console)
    {
        Argument<string[]> words = new("WORDS")
        {
            Description = $"{string.Join(", ", s_shown)}, {Reload}; or a line of {string.Join(", ", s_tools)}",
            Arity = ArgumentArity.OneOrMore,
        };
        Option<string?> socket = new("--socket", "-s")
        {
            HelpName = "PATH",
            Description = $"The control socket; the only one in {ControlClient.Folder} if not given",
        };
        Option<int?> limit = Options.OptionKinds.Number("--limit", "Most connections shown (default 1000)", 0);
        Option<bool> json = new("--json") { Description = "The reply as it came, one JSON document" };
        Command command = new("ctl", "Ask a running load balancer, or edit it as ipvsadm would") { words, socket, limit, json };
        command.SetAction(parsed => Run(
            parsed.GetValue(words)!, parsed.GetValue(socket) ?? ControlClient.FindOnly(), parsed.GetValue(limit), parsed.GetValue(json),
            console));
        return command.WithExamples(s_examples);
    }

    private static int Run(string[] words, string socket, int? limit, bool isJson, CommandConsole console)
    {
        byte[] reply = ControlClient.Ask(socket, Request(words, limit));
        using JsonDocument document = JsonDocument.Parse(reply);
        if (!document.RootElement.GetProperty("ok").GetBoolean())
        {
            throw new UsageException(document.RootElement.GetProperty("error").GetString() ?? "refused");
        }

        if (isJson)
        {
            console.Out.WriteLine(document.RootElement.GetRawText());
        }
        else
        {
            ControlText.Write(console.Out, document.RootElement);
        }

        return ExitCode.Success;
    }

    private static ReadOnlySpan<byte> Request(string[] words, int? limit)
    {
        ArrayBufferWriter<byte> request = new();
        using (Utf8JsonWriter writer = new(request))
        {
            writer.WriteStartObject();
            if (words is [Reload])
            {
                writer.WriteBoolean(Reload, value: true);
            }
            else if (words.Length == 1 && Array.IndexOf(s_shown, words[0]) >= 0)
            {
                writer.WriteString("show", words[0]);
                if (limit is { } count)
                {
                    writer.WriteNumber("limit", count);
                }
            }
            else if (Array.IndexOf(s_tools, words[0]) >= 0)
            {
                writer.WriteString("command", string.Join(' ', words));
            }
            else
            {
                throw new UsageException(
                    $"ctl {words[0]}: one of {string.Join(", ", s_shown)}, {Reload}, or a line of {string.Join(", ", s_tools)} is expected");
            }

            writer.WriteEndObject();
        }

        return request.WrittenSpan;
    }
}
