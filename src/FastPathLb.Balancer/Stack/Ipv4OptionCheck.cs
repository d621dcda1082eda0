namespace FastPathLb.Balancer.Stack;

/// <summary>Whether IPv4 options are well formed and harmless (__ip_options_compile in net/ipv4/ip_options.c).</summary>
internal static class Ipv4OptionCheck
{
    /// <summary>There is nothing wrong with the options.</summary>
    public const int None = -1;

    /// <summary>A source route, which is refused without a word (accept_source_route is 0).</summary>
    public const int SourceRoute = -2;

    private const byte End = 0;
    private const byte NoOperation = 1;
    private const byte RecordRoute = 7;
    private const byte Timestamp = 68;
    private const byte LooseSourceRoute = 131;
    private const byte StrictSourceRoute = 137;
    private const byte RouterAlert = 148;

    /// <summary>The offset in bytes of the first thing that is wrong, or <see cref="None"/> or <see cref="SourceRoute"/>.</summary>
    public static int FindProblem(ReadOnlySpan<byte> options)
    {
        bool hasSourceRoute = false;
        int index = 0;
        while (index < options.Length && options[index] != End)
        {
            if (options[index] == NoOperation)
            {
                index++;
                continue;
            }

            int left = options.Length - index;
            if (left < 2 || options[index + 1] < 2 || options[index + 1] > left)
            {
                return index;
            }

            int problem = FindProblemIn(options[index], options.Slice(index, options[index + 1]));
            if (problem != None)
            {
                return index + problem;
            }

            hasSourceRoute |= options[index] is LooseSourceRoute or StrictSourceRoute;
            index += options[index + 1];
        }

        return hasSourceRoute ? SourceRoute : None;
    }

    /// <summary>Checks one option: its length, and its pointer to the next free place.</summary>
    private static int FindProblemIn(byte kind, ReadOnlySpan<byte> option)
    {
        switch (kind)
        {
            case LooseSourceRoute or StrictSourceRoute:
                return option.Length < 3 ? 1 : option[2] < 4 ? 2 : None;
            case RecordRoute:
                return option.Length < 3 ? 1 : option[2] < 4 || IsCut(option, 3) ? 2 : None;
            case Timestamp:
                const int FlagsMask = 15;
                return option.Length < 4 ? 1
                    : option[2] < 5 || IsCut(option, (option[3] & FlagsMask) == 0 ? 3 : 7) ? 2
                    : None;
            case RouterAlert:
                return option.Length < 4 ? 1 : None;
            default:
                return None;
        }
    }

    // The pointer counts from 1; a full option's points behind its end.
    private static bool IsCut(ReadOnlySpan<byte> option, int roomBytes) =>
        option[2] <= option.Length && option[2] + roomBytes > option.Length;
}
