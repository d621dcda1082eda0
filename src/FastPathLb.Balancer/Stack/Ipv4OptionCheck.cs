using FastPathLb.Pipeline;

namespace FastPathLb.Balancer.Stack;

/// <summary>Whether IPv4 options are well formed and harmless (ip_options_compile; source routes are refused by default).</summary>
internal static class Ipv4OptionCheck
{
    private const byte End = 0;
    private const byte NoOperation = 1;
    private const byte LooseSourceRoute = 131;
    private const byte StrictSourceRoute = 137;

    public static DropReason Check(ReadOnlySpan<byte> options)
    {
        int index = 0;
        while (index < options.Length)
        {
            switch (options[index])
            {
                case End:
                    return DropReason.None;
                case NoOperation:
                    index++;
                    continue;
                default:
                    break;
            }

            if (index + 1 >= options.Length || options[index + 1] < 2 || index + options[index + 1] > options.Length
                || options[index] is LooseSourceRoute or StrictSourceRoute)
            {
                return DropReason.Ipv4OptionsInvalid;
            }

            index += options[index + 1];
        }

        return DropReason.None;
    }
}
