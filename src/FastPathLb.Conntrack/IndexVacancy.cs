namespace FastPathLb.Conntrack;

/// <summary>Where a key may be put that is not in the index: good until something else is put there. The default is nowhere.</summary>
public readonly struct IndexVacancy
{
    private readonly ulong _slotPlusOne;

    /// <summary>A slot, by its number among all slots of all lines.</summary>
    internal IndexVacancy(ulong slot) => _slotPlusOne = slot + 1;

    /// <summary>Whether no place is known: the key may be in the index, or its line has no room.</summary>
    public bool IsNone => _slotPlusOne == 0;

    /// <summary>The slot.</summary>
    internal nuint Slot => (nuint)(_slotPlusOne - 1);
}
