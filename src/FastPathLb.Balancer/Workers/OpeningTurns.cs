namespace FastPathLb.Balancer.Workers;

/// <summary>
/// Has workers open connections in the order in which their first frames came, although each has a share of them: round robin then
/// goes on as with one worker. Whoever deals the frames out numbers those that may open a connection; zero is none.
/// </summary>
public sealed class OpeningTurns
{
    private ushort _dealt;
    private int _passed;

    /// <summary>Whether any frame was numbered: then picks are made in that order alone.</summary>
    internal bool AreDealt => _dealt != 0;

    /// <summary>Numbers the next frame that may open a connection.</summary>
    public ushort Deal()
    {
        _dealt = Next(_dealt);
        return _dealt;
    }

    /// <summary>Whether a frame's turn has come: all those that were numbered before it are done.</summary>
    internal bool IsTurnOf(ushort turn) => Next((ushort)Volatile.Read(ref _passed)) == turn;

    /// <summary>The frame whose turn it was is done.</summary>
    internal void Pass(ushort turn) => Volatile.Write(ref _passed, turn);

    private static ushort Next(ushort turn) => turn == ushort.MaxValue ? (ushort)1 : (ushort)(turn + 1);
}
