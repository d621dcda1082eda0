using System.Runtime.InteropServices;
using FastPathLb.Pipeline;
using PacketDotNet;
using SharpPcap;
using SharpPcap.LibPcap;

namespace FastPathLb.SharpPcap;

/// <summary>An open SharpPcap capture device, live or a file, as a source of frames.</summary>
/// <remarks>
/// Owned by one worker, which is also the only one to touch the device meanwhile; opening and closing stay with the caller.
/// <para>
/// SharpPcap waits for a frame up to half a second (libpcap on Linux; elsewhere the device's read timeout), so only an empty
/// batch asks it to. What else the ring of a libpcap device holds is then taken without waiting; a file never waits; and any
/// other device, which can only be asked with a wait, gives one frame per batch.
/// </para>
/// SharpPcap itself allocates two small objects per frame; this class allocates none.
/// </remarks>
public sealed class SharpPcapSource : IFrameSource
{
    private const decimal NanosecondsPerSecond = 1_000_000_000m;
    private const decimal NanosecondsPerMicrosecond = 1_000m;

    private readonly ICaptureDevice _device;
    private readonly LibPcapLiveDevice? _ring;
    private readonly int _portIndex;
    private readonly bool _waits;
    private readonly decimal _wrappedNanoseconds;

    // A frame that was taken from the device but found the batch full: first in the next one.
    private readonly byte[] _held = new byte[SharpPcapLimits.FrameLengthMax];
    private bool _isHolding;
    private int _heldLengthBytes;
    private int _heldWireLengthBytes;
    private long _heldTimestampNanoseconds;

    private bool _hasEnded;
    private long _count;

    /// <summary>Takes frames from a device that the caller has opened. A live libpcap device is switched to non-blocking mode.</summary>
    /// <param name="device">A device whose link type is Ethernet, not in background capture.</param>
    /// <param name="portIndex">The port of the data path that its frames come in at.</param>
    /// <exception cref="ArgumentException">The device's frames are not Ethernet frames.</exception>
    public SharpPcapSource(ICaptureDevice device, int portIndex = 0)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (device.LinkType != LinkLayers.Ethernet)
        {
            throw new ArgumentException($"{device.Name} has link type {device.LinkType}; the data path takes Ethernet.", nameof(device));
        }

        _device = device;
        _portIndex = portIndex;
        _ring = device as LibPcapLiveDevice;
        _waits = device is not CaptureReaderDevice;
        _wrappedNanoseconds = (1m + ulong.MaxValue) * (device.TimestampResolution == TimestampResolution.Nanosecond ? 1 : NanosecondsPerMicrosecond);
        if (_ring is not null)
        {
            _ring.NonBlockingMode = true;
        }
    }

    /// <summary>Frames received since the start.</summary>
    public long Count => _count;

    /// <summary>Why the source ended, in libpcap's words: an interface that went away, a truncated file. Null while it runs and at a plain end.</summary>
    public string? Failure { get; private set; }

    /// <inheritdoc/>
    public bool Receive(FrameBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (_isHolding && !TryAddHeld(batch))
        {
            return true;
        }

        while (!_hasEnded && (batch.Count == 0 || !_waits))
        {
            GetPacketStatus status = _device.GetNextPacket(out PacketCapture capture);
            if (status != GetPacketStatus.PacketRead)
            {
                return Stop(status) || batch.Count > 0;
            }

            if (!TryAdd(batch, capture))
            {
                return true;
            }
        }

        if (_ring is not null && !_hasEnded)
        {
            DrainRing(_ring, batch);
        }

        return !_hasEnded || batch.Count > 0;
    }

    private bool TryAdd(FrameBatch batch, in PacketCapture capture)
    {
        ReadOnlySpan<byte> bytes = capture.Data[..Math.Min(capture.Data.Length, SharpPcapLimits.FrameLengthMax)];
        int wireLengthBytes = capture.Header is PcapHeader header ? (int)header.PacketLength : capture.Data.Length;
        long timestampNanoseconds = Nanoseconds(capture.Header);
        _count++;
        if (batch.TryAdd(bytes, timestampNanoseconds, _count, wireLengthBytes, _portIndex))
        {
            return true;
        }

        bytes.CopyTo(_held);
        Hold(bytes.Length, wireLengthBytes, timestampNanoseconds);
        return false;
    }

    // GetNextPacket would wait once more in poll() before it says that the ring is empty; libpcap's own call does not.
    private void DrainRing(LibPcapLiveDevice ring, FrameBatch batch)
    {
        nint header = 0;
        nint bytes = 0;
        while (true)
        {
            int status = ring.GetNextPacketPointers(ref header, ref bytes);
            if (status != (int)GetPacketStatus.PacketRead)
            {
                Stop((GetPacketStatus)status);
                return;
            }

            PcapHeader read = PcapHeader.FromPointer(header, ring.TimestampResolution);
            int lengthBytes = (int)Math.Min(read.CaptureLength, SharpPcapLimits.FrameLengthMax);
            Marshal.Copy(bytes, _held, 0, lengthBytes);
            _count++;
            Hold(lengthBytes, (int)read.PacketLength, Nanoseconds(read));
            if (!TryAddHeld(batch))
            {
                return;
            }
        }
    }

    private void Hold(int lengthBytes, int wireLengthBytes, long timestampNanoseconds)
    {
        _isHolding = true;
        _heldLengthBytes = lengthBytes;
        _heldWireLengthBytes = wireLengthBytes;
        _heldTimestampNanoseconds = timestampNanoseconds;
    }

    private bool TryAddHeld(FrameBatch batch)
    {
        ReadOnlySpan<byte> bytes = _held.AsSpan(0, _heldLengthBytes);
        _isHolding = !batch.TryAdd(bytes, _heldTimestampNanoseconds, _count, _heldWireLengthBytes, _portIndex);
        return !_isHolding;
    }

    /// <returns>Whether frames may still come.</returns>
    private bool Stop(GetPacketStatus status)
    {
        if (status == GetPacketStatus.ReadTimeout)
        {
            return true;
        }

        _hasEnded = true;
        if (status == GetPacketStatus.Error)
        {
            Failure = _device.LastError ?? "unknown error";
        }

        return false;
    }

    // libpcap has the fraction of a second as a signed number and SharpPcap as an unsigned one: one below 0, as a damaged file
    // has it, comes out as almost 2^64 units.
    private long Nanoseconds(ICaptureHeader header)
    {
        decimal nanoseconds = header.Timeval.Value * NanosecondsPerSecond;
        decimal meant = nanoseconds > long.MaxValue ? nanoseconds - _wrappedNanoseconds : nanoseconds;
        return (long)decimal.Clamp(meant, 0, long.MaxValue);
    }
}
