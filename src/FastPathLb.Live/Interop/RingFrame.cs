namespace FastPathLb.Live.Interop;

/// <summary>A frame in a packet socket's ring, valid until it is taken.</summary>
internal readonly ref struct RingFrame
{
    private const uint VlanValid = 0x10;
    private const uint VlanProtocolValid = 0x40;
    private const ushort Vlan = 0x8100;
    private const byte NeedsChecksum = 1;

    private readonly ReadOnlySpan<byte> _virtualHeader;
    private readonly uint _status;
    private readonly ushort _vlanProtocol;

    public RingFrame(
        ReadOnlySpan<byte> virtualHeader, ReadOnlySpan<byte> bytes, int wireBytes, uint status, ushort vlanTag, ushort vlanProtocol)
    {
        _virtualHeader = virtualHeader;
        Bytes = bytes;
        WireBytes = wireBytes;
        _status = status;
        VlanTag = vlanTag;
        _vlanProtocol = vlanProtocol;
    }

    /// <summary>The frame, without its outermost VLAN tag.</summary>
    public ReadOnlySpan<byte> Bytes { get; }

    /// <summary>Its length in the kernel.</summary>
    public int WireBytes { get; }

    /// <summary>Whether the kernel took a VLAN tag off.</summary>
    public bool HasVlanTag => (_status & VlanValid) != 0;

    /// <summary>The tag taken off: priority and VLAN.</summary>
    public ushort VlanTag { get; }

    /// <summary>The tag's EtherType.</summary>
    public ushort VlanProtocol => (_status & VlanProtocolValid) != 0 ? _vlanProtocol : Vlan;

    /// <summary>Whether a checksum was left to a network card that this frame never met.</summary>
    public bool IsChecksumMissing => _virtualHeader.Length > 0 && (_virtualHeader[0] & NeedsChecksum) != 0;

    /// <summary>Whether the frame stands for several: a sender's segmentation offload.</summary>
    public bool IsSuperPacket => _virtualHeader.Length > 1 && _virtualHeader[1] != 0;

    /// <summary>Where the sum begins, from the frame's first byte.</summary>
    public int ChecksumStart => BitConverter.ToUInt16(_virtualHeader[6..]);

    /// <summary>Where the sum is written, from its beginning.</summary>
    public int ChecksumOffset => BitConverter.ToUInt16(_virtualHeader[8..]);
}
