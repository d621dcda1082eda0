namespace FastPathLb.Cli.Running;

/// <summary>How the verification of one of many recordings ended.</summary>
/// <param name="Recording">The recording.</param>
/// <param name="Elapsed">How long it took, reading included.</param>
internal sealed record RecordingOutcome(Recording Recording, TimeSpan Elapsed)
{
    /// <summary>The result; null where there is a problem, or where it was left out.</summary>
    public VerifyResult? Result { get; init; }

    /// <summary>What is wrong with its files, or null.</summary>
    public string? Problem { get; init; }

    /// <summary>Why it cannot be judged, or null.</summary>
    public string? LeftOut { get; init; }
}
