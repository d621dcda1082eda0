namespace FastPathLb.NodeState;

/// <summary>
/// Reads a command as an operator types it: ipvsadm, iptables, sysctl, ip, bridge; long and short option names,
/// with a path in front, with <c>ip netns exec NAME</c> or <c>nsenter --net=FILE</c> before it.
/// </summary>
public static class NodeCommandReader
{
    /// <summary>Reads one command line; <paramref name="fileName"/> and <paramref name="line"/> are for messages.</summary>
    /// <exception cref="NodeStateException">It is no such command.</exception>
    public static NodeCommand Parse(string text, string fileName = "command", int line = 1)
    {
        TextPlace place = new(fileName, line);
        return Parse(new WordCursor(place, ShellText.Split(text, place)), out _);
    }

    /// <summary>Reads one command and the namespace that it names, if it names one.</summary>
    internal static NodeCommand Parse(WordCursor words, out string? namespaceName)
    {
        namespaceName = TakeNamespace(words);
        string command = words.Take("a command: ipvsadm, iptables, sysctl, ip or bridge");
        string name = command[(command.LastIndexOf('/') + 1)..];
        switch (name)
        {
            case "ipvsadm":
                return IpvsadmReader.Read(words)
                    ?? throw words.Place.Problem("this ipvsadm command changes nothing that is emulated (IPv6, or a listing)");
            case "iptables" or "iptables-legacy" or "iptables-nft":
                return IptablesCommandReader.Read(words);
            case "ip":
                return IpCommandReader.ReadIp(words);
            case "bridge":
                return IpCommandReader.ReadBridge(words);
            case "sysctl":
                return ReadSysctl(words);
            default:
                throw words.Place.Expected("a command: ipvsadm, iptables, sysctl, ip or bridge", command);
        }
    }

    private static string? TakeNamespace(WordCursor words)
    {
        words.TryTake("sudo");
        if (words.Peek == "nsenter")
        {
            words.Skip();
            string option = words.Take("--net=FILE");
            if (!option.StartsWith("--net=", StringComparison.Ordinal))
            {
                throw words.Place.Expected("--net=FILE", option);
            }

            words.TryTake("--");
            return option[(option.LastIndexOf('/') + 1)..].Replace("--net=", "", StringComparison.Ordinal);
        }

        if (words.Peek != "ip" || words.PeekAt(1) != "netns")
        {
            return null;
        }

        words.Skip();
        words.Skip();
        return words.TryTake("exec") ? words.Take("a namespace's name") : throw words.Expected("'ip netns exec NAME COMMAND'");
    }

    private static SysctlWrite ReadSysctl(WordCursor words)
    {
        while (words.Peek is "-w" or "-q" or "--write" or "--quiet")
        {
            words.Skip();
        }

        // "sysctl -w name=value", and with blanks around the sign as sysctl prints it.
        string text = words.Take("name=value");
        if (!text.Contains('=', StringComparison.Ordinal) || text.EndsWith('='))
        {
            text += string.Concat(words.TryTake("=") ? "=" : "", words.Take("name=value"));
        }

        if (!words.AtEnd)
        {
            throw words.Expected("one setting a line");
        }

        (string name, string value) = SysctlReader.ParseAssignment(text, words.Place);
        return new SysctlWrite(name, value);
    }
}
