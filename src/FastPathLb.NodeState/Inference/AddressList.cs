using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>A few addresses. The framework's lists and queries over a value type of ours would be compiled as the program starts.</summary>
internal sealed class AddressList
{
    private uint[] _values = new uint[4];

    /// <summary>How many.</summary>
    public int Count { get; private set; }

    /// <summary>An address.</summary>
    public Ipv4Address this[int index] => new(_values[index]);

    /// <summary>Whether it is among them.</summary>
    public bool Contains(Ipv4Address address)
    {
        for (int index = 0; index < Count; index++)
        {
            if (_values[index] == address.Value)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Adds one.</summary>
    public void Add(Ipv4Address address)
    {
        if (Count == _values.Length)
        {
            Array.Resize(ref _values, 2 * Count);
        }

        _values[Count++] = address.Value;
    }

    /// <summary>Adds one that is not there yet.</summary>
    public void AddNew(Ipv4Address address)
    {
        if (!Contains(address))
        {
            Add(address);
        }
    }

    /// <summary>Puts them in ascending order.</summary>
    public void Sort()
    {
        if (Count > 1)
        {
            Array.Sort(_values, 0, Count);
        }
    }

    /// <summary>All, separated by commas.</summary>
    public override string ToString()
    {
        string[] words = new string[Count];
        for (int index = 0; index < Count; index++)
        {
            words[index] = this[index].ToString();
        }

        return string.Join(", ", words);
    }
}
