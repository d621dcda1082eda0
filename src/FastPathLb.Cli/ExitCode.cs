namespace FastPathLb.Cli;

/// <summary>What the program tells its caller. A run that was stopped gives 128 and the signal's number, as shells do.</summary>
internal static class ExitCode
{
    /// <summary>All went well.</summary>
    public const int Success = 0;

    /// <summary><c>verify</c> found a difference, <c>lint</c> a fault, or <c>dns</c> no answer of Docker's own.</summary>
    public const int Different = 1;

    /// <summary>The command line, a capture, a dump or a configuration cannot be what it should be.</summary>
    public const int BadInput = 2;

    /// <summary><c>run</c> ended since its interface was removed.</summary>
    public const int DeviceLost = 3;

    /// <summary>A mistake of the program's own (EX_SOFTWARE).</summary>
    public const int InternalError = 70;

    /// <summary>Stopped by Ctrl-C.</summary>
    public const int Interrupted = 130;

    /// <summary>Stopped by <c>kill</c>.</summary>
    public const int Terminated = 143;
}
