using System.Globalization;
using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>Reads the words of one line from left to right; what doesn't fit becomes a <see cref="NodeStateException"/>.</summary>
internal sealed class WordCursor(TextPlace place, IReadOnlyList<string> words)
{
    private int _next;

    /// <summary>Where the line stands.</summary>
    public TextPlace Place => place;

    /// <summary>Whether all words are read.</summary>
    public bool AtEnd => _next >= words.Count;

    /// <summary>The next word, not taken; null at the end.</summary>
    public string? Peek => AtEnd ? null : words[_next];

    /// <summary>A word further on, not taken; null beyond the end.</summary>
    public string? PeekAt(int offset) => _next + offset < words.Count ? words[_next + offset] : null;

    /// <summary>The words not yet taken, as one text.</summary>
    public string Rest
    {
        get
        {
            string[] rest = new string[Math.Max(words.Count - _next, 0)];
            for (int index = 0; index < rest.Length; index++)
            {
                rest[index] = ShellText.Quote(words[_next + index]);
            }

            return string.Join(' ', rest);
        }
    }

    /// <summary>An error about the next word.</summary>
    public NodeStateException Expected(string expected) => place.Expected(expected, Peek);

    /// <summary>Takes the next word, whatever it is.</summary>
    public string Take(string expected) => AtEnd ? throw Expected(expected) : words[_next++];

    /// <summary>Takes the next word if it is this one.</summary>
    public bool TryTake(string word)
    {
        if (Peek != word)
        {
            return false;
        }

        _next++;
        return true;
    }

    /// <summary>Steps over the next word.</summary>
    public void Skip() => _next++;

    /// <summary>Takes an IPv4 address.</summary>
    public Ipv4Address TakeAddress(string expected = "an IPv4 address") =>
        Ipv4Address.TryParse(Peek, out Ipv4Address value) ? Taken(value) : throw Expected(expected);

    /// <summary>Takes an IPv4 address with or without a prefix length.</summary>
    public Ipv4Prefix TakePrefix(string expected = "an IPv4 address or prefix") =>
        Ipv4Prefix.TryParse(Peek, out Ipv4Prefix value) ? Taken(value) : throw Expected(expected);

    /// <summary>Takes an Ethernet address.</summary>
    public MacAddress TakeMac(string expected = "a MAC address") =>
        MacAddress.TryParse(Peek, out MacAddress value) ? Taken(value) : throw Expected(expected);

    /// <summary>Takes a decimal number within bounds.</summary>
    public int TakeInt(string expected, int minimum = 0, int maximum = int.MaxValue) =>
        int.TryParse(Peek, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= minimum && value <= maximum
            ? Taken(value)
            : throw Expected(expected);

    /// <summary>Takes a decimal or (with 0x) hexadecimal number of 32 bits.</summary>
    public uint TakeUInt(string expected) => NumberText.TryUInt(Peek, out uint value) ? Taken(value) : throw Expected(expected);

    /// <summary>Takes a VXLAN network identifier.</summary>
    public Vni TakeVni(string expected = "a VNI from 0 to 16777215") =>
        NumberText.TryUInt(Peek, out uint value) && Vni.TryCreate(value, out Vni vni) ? Taken(vni) : throw Expected(expected);

    /// <summary>Takes seconds since 1970, to the nanosecond.</summary>
    public long TakeEpoch() =>
        NumberText.TryEpoch(Peek, out long value) ? Taken(value) : throw Expected("a time such as 1795336049.516030");

    private T Taken<T>(T value)
    {
        _next++;
        return value;
    }
}
