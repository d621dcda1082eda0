using System.Runtime.InteropServices;
using FastPathLb.Live.Interop;

namespace FastPathLb.Live.Running;

/// <summary>Ends a worker's wait for frames (eventfd). Ringing: any thread.</summary>
public sealed class WorkerAlarm : IDisposable
{
    private readonly Lock _closing = new();
    private int _descriptor;
    private bool _isClosed;
    private bool _isRung;

    /// <summary>Makes an alarm.</summary>
    /// <exception cref="DeviceException">The process has no descriptor left.</exception>
    public WorkerAlarm()
    {
        _descriptor = LibcInterop.EventDescriptor(0, LibcInterop.NonBlocking | LibcInterop.CloseOnExec);
        if (_descriptor < 0)
        {
            throw DeviceException.Of("eventfd", "cannot be made", LibcInterop.LastError);
        }
    }

    /// <summary>Readable once it was rung; for <c>poll</c>.</summary>
    public int Descriptor => _descriptor;

    /// <summary>Wakes the worker, or keeps it from falling asleep.</summary>
    public void Ring()
    {
        lock (_closing)
        {
            if (!_isClosed)
            {
                ulong one = 1;
                _ = LibcInterop.Write(_descriptor, MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(in one)));

                // After it was written: who sees this finds what is to be read.
                Volatile.Write(ref _isRung, true);
            }
        }
    }

    /// <summary>Makes it silent again, before it is looked what there is to do. The worker.</summary>
    public void Silence()
    {
        if (!Volatile.Read(ref _isRung))
        {
            return;
        }

        Volatile.Write(ref _isRung, false);
        Span<byte> count = stackalloc byte[sizeof(ulong)];
        _ = LibcInterop.Read(_descriptor, count);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_closing)
        {
            if (!_isClosed)
            {
                _isClosed = true;
                _ = LibcInterop.Close(_descriptor);
                _descriptor = -1;
            }
        }
    }
}
