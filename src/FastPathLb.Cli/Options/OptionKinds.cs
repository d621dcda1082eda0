using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;

namespace FastPathLb.Cli.Options;

/// <summary>Options whose mistakes are told in one line, with what was expected.</summary>
internal static class OptionKinds
{
    /// <summary>An option with few words to choose from, which completion offers.</summary>
    public static Option<string?> OneOf(string name, string description, params string[] words)
    {
        Option<string?> option = new(name)
        {
            HelpName = string.Join('|', words),
            Description = description,
            CustomParser = result => ParseWord(name, result, words),
        };
        option.CompletionSources.Add(words);
        return option;
    }

    /// <summary>An option that takes a whole number.</summary>
    public static Option<T?> Number<T>(string name, string description, T minimum)
        where T : struct, IBinaryInteger<T> => new(name)
        {
            HelpName = "N",
            Description = description,
            CustomParser = result => ParseNumber(name, result, minimum),
        };

    private static string? ParseWord(string name, ArgumentResult result, string[] words)
    {
        string word = result.Tokens[0].Value;
        if (Array.IndexOf(words, word) < 0)
        {
            result.AddError($"{name} {word}: {string.Join(" or ", words)} is expected");
        }

        return word;
    }

    private static T? ParseNumber<T>(string name, ArgumentResult result, T minimum)
        where T : struct, IBinaryInteger<T>
    {
        string word = result.Tokens[0].Value;
        if (!T.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out T value) || value < minimum)
        {
            result.AddError($"{name} {word}: a whole number, {minimum} or more, is expected");
        }

        return value;
    }
}
