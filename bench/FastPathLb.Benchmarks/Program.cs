using BenchmarkDotNet.Running;
using FastPathLb.Benchmarks.Peers;

return args switch
{
    ["peers", ..] => PeersCommand.Run(args.AsSpan(1)),
    ["report", ..] => PeersReport.Run(args.AsSpan(1)),
    _ => BenchmarkSwitcher.FromAssembly(typeof(PeersCommand).Assembly).Run(args).Any() ? 0 : 1,
};
