using System.Globalization;

namespace FastPathLb.TestKit;

/// <summary>How long random tests run and on what: FASTPATHLB_FUZZ_SECONDS and FASTPATHLB_SEED, else the same in every run.</summary>
public static class Fuzzing
{
    /// <summary>The seed, each test's own unless another one is asked for.</summary>
    public static int Seed(int seed) =>
        int.TryParse(Environment.GetEnvironmentVariable("FASTPATHLB_SEED"), CultureInfo.InvariantCulture, out int given) ? given : seed;

    /// <summary>Seconds that a test takes, its own unless others are asked for.</summary>
    public static double Seconds(double seconds) => double.TryParse(
        Environment.GetEnvironmentVariable("FASTPATHLB_FUZZ_SECONDS"), CultureInfo.InvariantCulture, out double given) ? given : seconds;
}
