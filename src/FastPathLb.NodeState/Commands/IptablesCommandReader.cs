using System.Globalization;

namespace FastPathLb.NodeState;

/// <summary>Reads the words after <c>iptables</c>.</summary>
internal static class IptablesCommandReader
{
    /// <summary>Reads one command.</summary>
    public static NodeCommand Read(WordCursor words)
    {
        string table = "filter";
        string? command = null;
        string? chain = null;
        string? argument = null;
        List<string> rule = [];
        while (!words.AtEnd)
        {
            string word = words.Take("an option");
            switch (word)
            {
                case "-t" or "--table":
                    table = words.Take("a table's name");
                    break;
                case "-w" or "--wait":
                    if (IsNumber(words.Peek))
                    {
                        words.Skip();
                    }

                    break;
                case "-n" or "--numeric" or "-v" or "--verbose" or "-4" or "--ipv4":
                    break;
                default:
                    if (CommandOf(word) is not { } found)
                    {
                        rule.Add(word);
                        break;
                    }

                    if (command is not null)
                    {
                        throw words.Place.Expected("one command of iptables only", word);
                    }

                    command = found;
                    chain = TakeOptional(words);
                    argument = found switch
                    {
                        "-P" => TakeOptional(words),
                        "-I" or "-R" or "-D" when IsNumber(words.Peek) => words.Take("a rule's number"),
                        _ => null,
                    };
                    break;
            }
        }

        return Build(table, command, chain, argument, rule, words.Place);
    }

    private static NodeCommand Build(string table, string? command, string? chain, string? argument, List<string> words, TextPlace place)
    {
        if (table is not ("filter" or "nat" or "mangle" or "raw" or "security"))
        {
            throw place.Expected("table filter, nat, mangle or raw", table);
        }

        if (command is null)
        {
            throw place.Problem("expected a command of iptables: -A, -I, -R, -D, -F, -Z, -P, -N or -X");
        }

        bool takesRule = command is "-A" or "-I" or "-R" || (command == "-D" && argument is null);
        if (!takesRule && words.Count > 0)
        {
            throw place.Expected("nothing more", words[0]);
        }

        if (chain is null && command is not ("-F" or "-Z" or "-X"))
        {
            throw place.Problem($"expected a chain after 'iptables {command}'");
        }

        RuleState? rule = takesRule ? RuleReader.Read(new WordCursor(place, words)) : null;
        int position = argument is null || command == "-P" ? 1 : Number(argument, place);
        return command switch
        {
            "-A" => new IptablesAppend(table, chain!, rule!),
            "-I" => new IptablesInsert(table, chain!, position, rule!),
            "-R" when argument is not null => new IptablesReplace(table, chain!, position, rule!),
            "-R" => throw place.Problem("expected the number of the rule to replace"),
            "-D" => new IptablesDelete(table, chain!, rule, rule is null ? position : null),
            "-F" => new IptablesFlush(table, chain),
            "-Z" => new IptablesZero(table, chain),
            "-N" => new IptablesNewChain(table, chain!),
            "-X" => new IptablesDeleteChain(table, chain),
            _ => argument is "ACCEPT" or "DROP"
                ? new IptablesSetPolicy(table, chain!, argument)
                : throw place.Expected("policy ACCEPT or DROP", argument),
        };
    }

    private static string? CommandOf(string word) => word switch
    {
        "-A" or "--append" => "-A",
        "-I" or "--insert" => "-I",
        "-R" or "--replace" => "-R",
        "-D" or "--delete" => "-D",
        "-F" or "--flush" => "-F",
        "-Z" or "--zero" => "-Z",
        "-P" or "--policy" => "-P",
        "-N" or "--new-chain" or "--new" => "-N",
        "-X" or "--delete-chain" => "-X",
        _ => null,
    };

    private static string? TakeOptional(WordCursor words) =>
        words.Peek is { } word && !word.StartsWith('-') && word != "!" ? words.Take("a word") : null;

    private static bool IsNumber(string? word) => word is { Length: > 0 } && char.IsAsciiDigit(word[0]);

    private static int Number(string text, TextPlace place) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value > 0
            ? value
            : throw place.Expected("a rule's number from 1", text);
}
