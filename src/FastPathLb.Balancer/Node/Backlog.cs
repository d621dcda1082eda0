using FastPathLb.Balancer.Stack;

namespace FastPathLb.Balancer.Node;

/// <summary>
/// Frames that crossed a cable and wait to be received (the kernel's per-processor backlog, to which veth_xmit hands frames): a namespace
/// is done with one frame before another's answer to it comes in. Fixed capacity; owned by one worker.
/// </summary>
internal sealed class Backlog
{
    // A frame causes a few more at each of a handful of namespaces; fragments of the largest datagram are 48.
    private const int CountMax = 1 << 10;

    private readonly Entry[] _entries = new Entry[CountMax];
    private int _first;
    private int _count;

    /// <summary>Puts a frame at the end.</summary>
    /// <returns><see langword="false"/> where there is no room.</returns>
    public bool TryAdd(in Entry entry)
    {
        if (_count == CountMax)
        {
            return false;
        }

        _entries[(_first + _count) % CountMax] = entry;
        _count++;
        return true;
    }

    /// <summary>Takes the frame that waits longest.</summary>
    public bool TryTake(out Entry entry)
    {
        if (_count == 0)
        {
            entry = default;
            return false;
        }

        entry = _entries[_first];
        _first = (_first + 1) % CountMax;
        _count--;
        return true;
    }

    /// <summary>A frame, where it lies, and the device it is for.</summary>
    internal readonly record struct Entry(
        NetworkNamespace Space, NetworkInterface Device, int Offset, int LengthBytes, int InputIndex, long Now);
}
