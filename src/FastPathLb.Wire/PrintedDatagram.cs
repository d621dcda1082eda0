namespace FastPathLb.Wire;

/// <summary>What the transport printers need to know of the IP datagram around them, IPv4 and IPv6 alike.</summary>
internal readonly ref struct PrintedDatagram
{
    /// <summary>Source address as text.</summary>
    public required string Source { get; init; }

    /// <summary>Destination address as text.</summary>
    public required string Destination { get; init; }

    /// <summary>Transport protocol.</summary>
    public required IpProtocol Protocol { get; init; }

    /// <summary>Partial sum of the pseudo-header with a length of 0.</summary>
    public required uint PseudoHeaderSum { get; init; }

    /// <summary>Transport header and payload: the bytes that are there.</summary>
    public required ReadOnlySpan<byte> Payload { get; init; }

    /// <summary>Length of transport header and payload as the IP header has it; more than is there if cut.</summary>
    public required int DeclaredLengthBytes { get; init; }

    /// <summary>Offset of this fragment in its datagram, 0 in a datagram that is whole.</summary>
    public required int FragmentOffsetBytes { get; init; }

    /// <summary>The payload is a fragment's, the first one's perhaps.</summary>
    public required bool IsFragment { get; init; }

    /// <summary>Frames and datagrams inside one another, this one included.</summary>
    public required int Depth { get; init; }

    /// <summary>Nothing is missing, so lengths and sums can be checked.</summary>
    public bool IsWhole => !IsFragment && Payload.Length == DeclaredLengthBytes;
}
