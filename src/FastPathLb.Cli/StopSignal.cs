using System.Runtime.InteropServices;

namespace FastPathLb.Cli;

/// <summary>The wish to stop: Ctrl-C or <c>kill</c>. The first lets a command end cleanly, the second ends the process.</summary>
internal sealed class StopSignal : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly List<PosixSignalRegistration> _registrations = [];

    /// <summary>Raised with the signal.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>Whether the command is to stop.</summary>
    public bool IsRaised => _source.IsCancellationRequested;

    /// <summary>The exit code of a run that was stopped.</summary>
    public int ExitCode { get; private set; } = Cli.ExitCode.Interrupted;

    /// <summary>Listens to the process's signals.</summary>
    public static StopSignal Listen()
    {
        StopSignal stop = new();
        stop.Register(PosixSignal.SIGINT, Cli.ExitCode.Interrupted);
        stop.Register(PosixSignal.SIGTERM, Cli.ExitCode.Terminated);
        return stop;
    }

    /// <summary>Asks to stop.</summary>
    public void Raise(int exitCode)
    {
        ExitCode = exitCode;
        _source.Cancel();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }

        _source.Dispose();
    }

    private void Register(PosixSignal signal, int exitCode) => _registrations.Add(PosixSignalRegistration.Create(
        signal,
        context =>
        {
            context.Cancel = !IsRaised;
            Raise(exitCode);
        }));
}
