using FastPathLb.Io.Captures;

namespace FastPathLb.Cli.Input;

/// <summary>Looks at a frame.</summary>
/// <returns>Whether to go on.</returns>
internal delegate bool FrameVisitor(in CapturedFrame frame);
