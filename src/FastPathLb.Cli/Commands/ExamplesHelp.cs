using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace FastPathLb.Cli.Commands;

/// <summary>Help that ends with examples.</summary>
internal static class ExamplesHelp
{
    /// <summary>Gives a command a help option of its own, with examples at the end.</summary>
    public static Command WithExamples(this Command command, IReadOnlyList<string> examples)
    {
        HelpOption? help = command.Options.OfType<HelpOption>().FirstOrDefault();
        if (help is null)
        {
            // A subcommand has the root's help; its own comes first.
            help = new HelpOption();
            command.Add(help);
        }

        help.Action = new ExamplesAction((HelpAction)help.Action!, examples);
        return command;
    }

    private sealed class ExamplesAction(HelpAction usual, IReadOnlyList<string> examples) : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            int code = usual.Invoke(parseResult);
            TextWriter output = parseResult.InvocationConfiguration.Output;
            output.WriteLine("Examples:");
            foreach (string example in examples)
            {
                output.WriteLine($"  {example}");
            }

            output.WriteLine();
            return code;
        }
    }
}
