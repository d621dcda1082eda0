namespace FastPathLb.Wire;

/// <summary>
/// Contract of every header view. The view is made by <see cref="TryParse"/> or not at all; after that no member of it fails,
/// whatever the bytes say.
/// </summary>
/// <remarks>
/// A view is a local over bytes that somebody else owns: it copies nothing, allocates nothing, and cannot outlive them.
/// As long as nobody writes over a length, that is: a view is made anew after the bytes have changed.
/// It judges only what is needed to be read safely. Whether a datagram is acceptable is the data path's to say.
/// </remarks>
/// <typeparam name="TSelf">The view itself.</typeparam>
public interface IWireHeader<TSelf>
    where TSelf : IWireHeader<TSelf>, allows ref struct
{
    /// <summary>Fewer bytes than this are never a header.</summary>
    static abstract int MinimumLengthBytes { get; }

    /// <summary>What the header carries, bounded by its length fields and by the bytes that are there.</summary>
    ReadOnlySpan<byte> Payload { get; }

    /// <summary>The one length check. The header is at the start of <paramref name="bytes"/>.</summary>
    static abstract bool TryParse(ReadOnlySpan<byte> bytes, out TSelf header);
}
