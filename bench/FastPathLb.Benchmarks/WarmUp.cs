namespace FastPathLb.Benchmarks;

/// <summary>
/// Lets the compiler reach its last tier before BenchmarkDotNet looks: a case of 100,000 frames an invocation is invoked too
/// seldom for that, and the compiler waits for quiet.
/// </summary>
internal static class WarmUp
{
    private const int RoundCount = 12;
    private const int PauseMilliseconds = 120;

    private static readonly HashSet<string> s_done = [];

    /// <summary>Runs something often and with pauses, once for each name.</summary>
    public static void Once(string name, Action action)
    {
        if (!s_done.Add(name))
        {
            return;
        }

        for (int round = 0; round < RoundCount; round++)
        {
            action();
            Thread.Sleep(PauseMilliseconds);
        }
    }
}
