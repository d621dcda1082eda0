using System.Globalization;
using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>Reads <c>ip -d addr</c> (without <c>-d</c> too, then without the kinds of devices and VXLAN settings).</summary>
public static class IpAddrReader
{
    private const string HeaderExpected = "an interface such as '2: eth0@if4: <BROADCAST,UP> mtu 1450'";

    /// <summary>Reads the whole text.</summary>
    /// <exception cref="NodeStateException">A line cannot be what it should be.</exception>
    public static IReadOnlyList<InterfaceState> Parse(string text, string fileName)
    {
        List<Draft> drafts = [];
        foreach (DumpLine line in DumpLines.Filled(text, fileName))
        {
            if (line.Indent == 0)
            {
                drafts.Add(ParseHeader(line));
                continue;
            }

            if (drafts.Count == 0)
            {
                throw line.Place.Expected(HeaderExpected, line.Text.Trim());
            }

            ParseDetail(line, drafts[^1]);
        }

        foreach (Draft draft in drafts)
        {
            if (draft.LinkType is null)
            {
                throw draft.Place.Problem($"interface {draft.Name} has no 'link/…' line: the dump is cut");
            }
        }

        List<InterfaceState> devices = new(drafts.Count);
        foreach (Draft draft in drafts)
        {
            devices.Add(draft.Build(drafts));
        }

        return devices;
    }

    private static Draft ParseHeader(DumpLine line)
    {
        WordCursor words = line.Words();
        if (words.PeekAt(2) is null)
        {
            throw line.Place.Expected(HeaderExpected, line.Text);
        }

        string number = words.Take(HeaderExpected);
        string name = words.Take(HeaderExpected);
        string flags = words.Take(HeaderExpected);
        if (!number.EndsWith(':') || !name.EndsWith(':') || !flags.StartsWith('<') || !flags.EndsWith('>')
            || !int.TryParse(number.AsSpan()[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out int index)
                || index <= 0
                || name.Length < 2)
        {
            throw line.Place.Expected(HeaderExpected, line.Text);
        }

        string[] names = name[..^1].Split('@', 2);
        Draft draft = new()
        {
            Place = line.Place,
            Index = index,
            Name = names[0],
            Peer = names.Length > 1 && names[1] != "NONE" ? names[1] : null,
            IsUp = Array.IndexOf(flags[1..^1].Split(','), "UP") >= 0,
        };
        while (!words.AtEnd)
        {
            switch (words.Take("a word"))
            {
                case "mtu":
                    draft.Mtu = words.TakeInt("an MTU");
                    break;
                case "master":
                    draft.Master = words.Take("a bridge's name");
                    break;
                default:
                    break;
            }
        }

        return draft.Mtu < 0 ? throw line.Place.Expected("'mtu N'", line.Text) : draft;
    }

    private static void ParseDetail(DumpLine line, Draft draft)
    {
        WordCursor words = line.Words();
        string first = words.Take("a word");
        if (first.StartsWith("link/", StringComparison.Ordinal))
        {
            draft.LinkType = first["link/".Length..];
            if (draft.LinkType is "ether" or "loopback")
            {
                draft.Mac = words.TakeMac();
            }

            return;
        }

        switch (first)
        {
            case "inet":
                draft.Addresses.Add(ParseAddress(words));
                break;
            case "vxlan":
                draft.Vxlan = ParseVxlan(words);
                draft.Kind ??= first;
                break;
            case "inet6" or "valid_lft" or "altname" or "alias" or "bridge_slave" or "bond_slave" or "vf" or "prog/xdp" or "RX:" or "TX:":
                break;
            default:
                if (char.IsAsciiLetter(first[0]))
                {
                    draft.Kind ??= first;
                }

                break;
        }
    }

    private static InterfaceAddress ParseAddress(WordCursor words)
    {
        Ipv4Prefix address = words.TakePrefix();
        int length = address.Length;
        string scope = "global";
        while (!words.AtEnd)
        {
            switch (words.Take("a word"))
            {
                case "peer":
                    length = words.TakePrefix().Length;
                    break;
                case "scope":
                    scope = words.Take("a scope");
                    break;
                default:
                    break;
            }
        }

        return new InterfaceAddress(address.Address, length, scope);
    }

    private static VxlanState ParseVxlan(WordCursor words)
    {
        Vni? vni = null;
        VxlanState state = new() { Vni = default, Proxy = false, L2Miss = false, L3Miss = false };
        while (!words.AtEnd)
        {
            switch (words.Take("a word"))
            {
                case "id":
                    vni = words.TakeVni();
                    break;
                case "local":
                    state = state with { Local = Ipv4Address.TryParse(words.Take("an address"), out Ipv4Address local) ? local : null };
                    break;
                case "srcport":
                    int low = words.TakeInt("a port", 0, 65535);
                    state = state with { SourcePortLow = low, SourcePortHigh = words.TakeInt("a port", 0, 65535) };
                    break;
                case "dstport":
                    state = state with { DestinationPort = words.TakeInt("a port", 0, 65535) };
                    break;
                case "ageing":
                    state = state with { AgeingSeconds = words.TryTake("none") ? 0 : words.TakeInt("a number of seconds") };
                    break;
                case "proxy":
                    state = state with { Proxy = true };
                    break;
                case "nolearning":
                    state = state with { Learning = false };
                    break;
                case "l2miss":
                    state = state with { L2Miss = true };
                    break;
                case "l3miss":
                    state = state with { L3Miss = true };
                    break;
                case "noudpcsum":
                    state = state with { UdpChecksum = false };
                    break;
                default:
                    break;
            }
        }

        return state with { Vni = vni ?? throw words.Place.Problem("expected 'id VNI' in the line of a vxlan device") };
    }

    private sealed class Draft
    {
        public TextPlace Place { get; init; }

        public int Index { get; init; }

        public required string Name { get; init; }

        public string? Peer { get; init; }

        public bool IsUp { get; init; }

        public int Mtu { get; set; } = -1;

        public string? Master { get; set; }

        public string? LinkType { get; set; }

        public MacAddress Mac { get; set; }

        public string? Kind { get; set; }

        public VxlanState? Vxlan { get; set; }

        public List<InterfaceAddress> Addresses { get; } = [];

        public InterfaceState Build(List<Draft> all) => new()
        {
            Index = Index,
            Name = Name,
            PeerIndex = PeerIndex(all),
            IsUp = IsUp,
            Mac = Mac,
            Mtu = Mtu,
            Kind = LinkType == "loopback" ? "loopback" : Kind ?? LinkType ?? "ether",
            Master = Master,
            Addresses = Addresses,
            Vxlan = Vxlan,
        };

        // "eth0@if4" names a device of another namespace by its index, "eth0.5@eth0" one of this namespace.
        private int? PeerIndex(List<Draft> all)
        {
            if (Peer is null)
            {
                return null;
            }

            return Peer.StartsWith("if", StringComparison.Ordinal)
                && int.TryParse(Peer.AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out int index)
                ? index
                : all.Find(other => other.Name == Peer)?.Index;
        }
    }
}
