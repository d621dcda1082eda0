using FsCheck;
using FsCheck.Fluent;

namespace FastPathLb.Balancer.Tests.Properties;

/// <summary>
/// Whatever happens: a connection never changes its server while it lives and ends in its own time, neither early nor late; a reply comes
/// from where the client called; counters add up.
/// </summary>
public sealed class SimulationTests
{
    [Fact]
    public void Ipvs_knows_what_the_model_knows() => Run(Seeded.Config(250, 1), changesServers: false);

    [Fact]
    public void Ipvs_knows_what_the_model_knows_while_servers_come_and_go() => Run(Seeded.Config(250, 2), changesServers: true);

    private static void Run(Config config, bool changesServers)
    {
        long scheduled = 0;
        Check.One(config, Prop.ForAll(Act.Lists(changesServers), acts =>
        {
            using Simulation simulation = new();
            simulation.Run(acts);
            scheduled += simulation.Scheduled;
        }));
        Assert.True(scheduled > 1000, $"only {scheduled} connections were scheduled: the lists do nothing");
    }
}
