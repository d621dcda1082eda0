namespace FastPathLb.Live.Control;

/// <summary>One row of <c>ipvsadm -Lnc</c>.</summary>
internal sealed record ShownConnection(
    string Protocol, string State, long SecondsLeft, string Client, string Virtual, string Server);
