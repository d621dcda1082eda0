using System.Buffers.Binary;
using FastPathLb.Balancer.Node;
using FastPathLb.Io.Captures;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Engine.Replaying;

/// <summary>
/// Captures of one node as a source of frames, in the order of their times: one taken at its card, and any taken at its namespaces'
/// devices.
/// What the node itself sent at its card, and what its namespaces sent and received, is passed over; what tasks sent comes in at their
/// ports.
/// </summary>
public sealed class NodeSource
{
    private readonly SwarmNode _node;
    private readonly List<Capture> _captures = [];

    /// <summary>Reads captures for a node.</summary>
    public NodeSource(SwarmNode node) => _node = node;

    /// <summary>Frames from this time on wait for the next batch, nanoseconds since the Unix epoch.</summary>
    public long StopBefore { get; set; } = long.MaxValue;

    /// <summary>Takes what was passed over: at which port, and the frame.</summary>
    public Action<int, byte[], long, long>? PassedOver { get; set; }

    /// <summary>Frames passed over.</summary>
    public long PassedOverCount { get; private set; }

    /// <summary>Frames whose link type holds nothing that can be served.</summary>
    public long UnservedCount { get; private set; }

    /// <summary>Frames of tasks.</summary>
    public long TaskFrameCount { get; private set; }

    /// <summary>Adds a capture taken at a port: the card's, or a namespace device's.</summary>
    public void Add(CaptureReader reader, int port) => _captures.Add(new Capture(reader, port));

    /// <summary>Shows all frames instead, in the order of their times: port, frame, time, number in its capture.</summary>
    /// <param name="visit">Looks at each.</param>
    /// <param name="stopping">Ends the look early.</param>
    public void Visit(Action<int, byte[], long, long> visit, CancellationToken stopping = default)
    {
        while (!stopping.IsCancellationRequested && FindEarliest() is { } earliest)
        {
            visit(earliest.Port, earliest.Frame, earliest.Timestamp, earliest.Number);
            earliest.Take();
        }
    }

    /// <summary>Fills a batch.</summary>
    /// <returns><see langword="false"/> at the end of all captures.</returns>
    public bool Receive(FrameBatch batch)
    {
        while (true)
        {
            if (FindEarliest() is not { } earliest)
            {
                return batch.Count > 0;
            }

            if (earliest.Timestamp >= StopBefore)
            {
                return true;
            }

            int port = PortOf(earliest, out int skip);
            if (port >= 0 && !batch.TryAdd(
                earliest.Frame.AsSpan(skip), earliest.Timestamp, earliest.Number, earliest.WireLengthBytes - skip, port))
            {
                return true;
            }

            if (port < 0 || skip > 0)
            {
                PassedOverCount++;
                PassedOver?.Invoke(earliest.Port, earliest.Frame, earliest.Timestamp, earliest.Number);
            }

            TaskFrameCount += port > SwarmNode.UplinkPort ? 1 : 0;
            earliest.Take();
        }
    }

    private Capture? FindEarliest()
    {
        Capture? earliest = null;
        foreach (Capture capture in _captures)
        {
            if (capture.TryPeek(out long skipped) && (earliest is null || capture.Timestamp < earliest.Timestamp))
            {
                earliest = capture;
            }

            UnservedCount += skipped;
        }

        return earliest;
    }

    // By its source: what the node sent is the recording's own; what a task sent is the task's.
    private int PortOf(Capture capture, out int skipBytes)
    {
        skipBytes = 0;
        if (capture.Port == SwarmNode.UplinkPort)
        {
            if (!_node.IsOwn(capture.Frame))
            {
                return SwarmNode.UplinkPort;
            }

            // What a task sent to another node: the tunnel shows it, and the node's part in it is compared.
            skipBytes = SwarmNode.EnvelopeBytes;
            return _node.FindTunnelledTask(capture.Frame);
        }

        // A task is asked for its address where it is plugged in; what it asks and answers in ARP is not needed twice.
        return capture.Frame.Length >= EthernetHeader.MinimumLengthBytes
            && (EtherType)BinaryPrimitives.ReadUInt16BigEndian(capture.Frame.AsSpan(EthernetHeader.EtherTypeOffset)) == EtherType.Ipv4
            ? _node.FindTask(MacAddress.Read(capture.Frame.AsSpan(EthernetHeader.SourceOffset)))
            : -1;
    }

    private sealed class Capture(CaptureReader reader, int port)
    {
        private bool _isRead;
        private bool _isAtEnd;

        public int Port => port;

        public byte[] Frame { get; private set; } = [];

        public long Timestamp { get; private set; }

        public long Number { get; private set; }

        public int WireLengthBytes { get; private set; }

        public bool TryPeek(out long skipped)
        {
            skipped = 0;
            while (!_isRead && !_isAtEnd)
            {
                if (!reader.TryRead(out CapturedFrame captured))
                {
                    _isAtEnd = true;
                }
                else if (captured.LinkType != LinkType.Ethernet)
                {
                    skipped++;
                }
                else
                {
                    Frame = captured.Data.ToArray();
                    Timestamp = captured.TimestampNanoseconds;
                    Number = captured.RecordNumber;
                    WireLengthBytes = Math.Max(captured.OriginalLengthBytes, captured.Data.Length);
                    _isRead = true;
                }
            }

            return _isRead;
        }

        public void Take() => _isRead = false;
    }
}
