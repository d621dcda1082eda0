using FastPathLb.Benchmarks;
using FastPathLb.Benchmarks.Peers;

return args switch
{
    ["peers", ..] => PeersCommand.Run(args.AsSpan(1)),
    ["workers", ..] => WorkersCommand.Run(args.AsSpan(1)),
    ["capture", ..] => CaptureCommand.Run(args.AsSpan(1)),
    ["report", ..] => PeersReport.Run(args.AsSpan(1)),
    _ => Suites.Run(args),
};
