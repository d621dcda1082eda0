namespace FastPathLb.Engine.Verifying;

/// <summary>A connection entry as <c>ipvsadm -Lnc</c> prints it, but for its addresses.</summary>
/// <param name="State">Its state.</param>
/// <param name="SecondsLeft">Time until it expires.</param>
internal readonly record struct PrintedConnection(string State, int SecondsLeft)
{
    /// <summary>The kernel's timers fire late, by up to about 1 in 64 of their length, and both sides print whole seconds.</summary>
    private const int ToleranceSeconds = 2;

    /// <summary>Whether it is so near its end that one side may have let it go already.</summary>
    public bool IsExpiring => SecondsLeft <= ToleranceSeconds;

    /// <summary>Whether both are the same state with the same time left.</summary>
    public bool IsLike(PrintedConnection other) =>
        State == other.State && Math.Abs(SecondsLeft - other.SecondsLeft) <= ToleranceSeconds;

    /// <inheritdoc/>
    public override string ToString() => $"{State} {SecondsLeft / 60:00}:{SecondsLeft % 60:00}";
}
