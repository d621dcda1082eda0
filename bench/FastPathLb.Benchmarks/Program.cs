using BenchmarkDotNet.Running;
using FastPathLb.Benchmarks.Peers;

return args is ["peers", ..]
    ? PeersCommand.Run(args.AsSpan(1))
    : BenchmarkSwitcher.FromAssembly(typeof(PeersCommand).Assembly).Run(args).Any() ? 0 : 1;
