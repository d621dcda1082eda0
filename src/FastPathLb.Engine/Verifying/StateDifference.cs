namespace FastPathLb.Engine.Verifying;

/// <summary>A row that the recording's table has and the emulator's has otherwise, or that only one of them has.</summary>
/// <param name="Table">The table, as its file is named: <c>ipvsadm-Lnc</c>.</param>
/// <param name="Tag">The checkpoint.</param>
/// <param name="Row">What names the row.</param>
/// <param name="Expected">The recording's columns, or null.</param>
/// <param name="Actual">The emulator's columns, or null.</param>
public sealed record StateDifference(string Table, string Tag, string Row, string? Expected, string? Actual);
