using FsCheck;
using Microsoft.FSharp.Core;

namespace FastPathLb.Balancer.Tests.Properties;

/// <summary>FsCheck with a fixed seed: the same cases in every run; FASTPATHLB_SEED gives others.</summary>
internal static class Seeded
{
    public static Config Config(int maxTest, ulong seed)
    {
        ulong chosen = ulong.TryParse(Environment.GetEnvironmentVariable("FASTPATHLB_SEED"), out ulong given) ? given : seed;
        return FsCheck.Config.QuickThrowOnFailure.WithMaxTest(maxTest)
            .WithReplay(FSharpOption<Replay>.Some(new Replay(new Rnd(chosen, (chosen << 1) | 1), FSharpOption<int>.None)));
    }
}
