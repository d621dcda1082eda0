namespace FastPathLb.TestKit;

/// <summary>
/// A test of what does not hold yet. It passes while its claim fails and fails once the claim holds, so that the list of gaps
/// shrinks: then the claim becomes an ordinary test.
/// </summary>
public static class KnownGap
{
    /// <summary>Runs a claim that must fail.</summary>
    /// <param name="why">What is missing, one sentence.</param>
    /// <param name="claim">The test as it will be.</param>
    /// <returns>How the claim failed.</returns>
    public static string Expect(string why, Action claim)
    {
        try
        {
            claim();
        }
        catch (Exception failure)
        {
            return $"{why}: {failure.Message}";
        }

        throw new InvalidOperationException($"This gap is closed, make it an ordinary test: {why}");
    }
}
