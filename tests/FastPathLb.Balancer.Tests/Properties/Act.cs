using FsCheck;
using FsCheck.Fluent;

namespace FastPathLb.Balancer.Tests.Properties;

/// <summary>One thing that happens: who, and how much of it.</summary>
public readonly record struct Act(ActKind Kind, int Flow, int Detail)
{
    /// <summary>Pauses that meet the ends of timeouts, just miss them, or leap over all.</summary>
    private static readonly double[] s_pauses = [0.001, 0.5, 1, 3, 10, 10.001, 29.999, 59.9, 60, 61, 119, 121, 299.5, 300.5, 899, 901, 4000];

    public double Seconds => s_pauses[Detail % s_pauses.Length];

    /// <summary>Lists of acts: packets for the most part, now and then a pause or a change.</summary>
    public static Arbitrary<Act[]> Lists(bool changesServers)
    {
        (int, Gen<ActKind>)[] kinds =
        [
            (6, Gen.Constant(ActKind.ClientSyn)), (4, Gen.Constant(ActKind.ServerSynAck)), (4, Gen.Constant(ActKind.ClientAck)),
            (4, Gen.Constant(ActKind.ServerAck)), (2, Gen.Constant(ActKind.ClientFin)), (2, Gen.Constant(ActKind.ServerFin)),
            (1, Gen.Constant(ActKind.ClientRst)), (1, Gen.Constant(ActKind.ServerRst)), (3, Gen.Constant(ActKind.ClientDatagram)),
            (2, Gen.Constant(ActKind.ServerDatagram)), (5, Gen.Constant(ActKind.Wait)),
            (changesServers ? 1 : 0, Gen.Constant(ActKind.ChangeWeight)), (changesServers ? 1 : 0, Gen.Constant(ActKind.RemoveServer)),
            (changesServers ? 2 : 0, Gen.Constant(ActKind.AddServer)),
        ];
        Gen<Act> act = Gen.Zip(
            Gen.Frequency(kinds.Where(item => item.Item1 > 0)), Gen.Zip(Gen.Choose(0, 5), Gen.Choose(0, 999)),
            (kind, rest) => new Act(kind, rest.Item1, rest.Item2));
        Gen<Act[]> lists = Gen.Choose(1, 120).SelectMany(count => Gen.ArrayOf(act, count));
        return Arb.From(lists, Shrink);
    }

    public override string ToString() => Kind == ActKind.Wait ? $"Wait {Seconds} s" : $"{Kind} {Flow} {Detail}";

    // Leave out ever smaller parts.
    private static IEnumerable<Act[]> Shrink(Act[] acts)
    {
        for (int part = acts.Length / 2; part > 0; part /= 2)
        {
            for (int start = 0; start + part <= acts.Length; start += part)
            {
                yield return [.. acts[..start], .. acts[(start + part)..]];
            }
        }
    }
}
