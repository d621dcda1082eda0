using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace FastPathLb.Io.Captures;

/// <summary>Reads pcapng: any number of sections in either byte order; blocks and options it does not know are passed over.</summary>
/// <typeparam name="TBytes">Where the bytes come from; the parser is compiled for each.</typeparam>
internal sealed class PcapngReader<TBytes> : CaptureReader
    where TBytes : struct, IByteWindow
{
    // The interfaces of the current section; what they were called before counts on in Info.
    private readonly List<InterfaceState> _section = [];
    private bool _isBigEndian;
    private long _blocksRead;

    // Not readonly: it is a struct that moves.
    private TBytes _bytes;

    /// <summary>Reads the first section header, whose block type the caller has seen, and what comes before the first frame.</summary>
    public PcapngReader(TBytes bytes, string name)
        : base(name)
    {
        _bytes = bytes;
        if (!TryPeekBlock(out ReadOnlySpan<byte> block, out _))
        {
            throw new CaptureFormatException(name, 0, $"the first section header is not there whole: {Warning}");
        }

        BeginSection(block);
        Info = new CaptureInfo(
            CaptureFormat.Pcapng,
            _isBigEndian,
            ReadUInt16(block, PcapngLayout.MajorVersionOffset),
            ReadUInt16(block, PcapngLayout.MinorVersionOffset))
        {
            IsCompressed = _bytes.IsCompressed,
        };
        Pass(block.Length);

        // So that a caller knows the link type before the first frame. No further: a live stream may have nothing more yet.
        while (Info.Interfaces.Count == 0 && TryPeekBlock(out block, out uint type) && !IsPacket(type))
        {
            TakeOther(type, block);
            Pass(block.Length);
        }
    }

    public override CaptureInfo Info { get; }

    public override long PositionBytes => _bytes.PositionBytes;

    public override long? LengthBytes => _bytes.LengthBytes;

    public override bool TryRead(out CapturedFrame frame)
    {
        while (TryPeekBlock(out ReadOnlySpan<byte> block, out uint type))
        {
            if (IsPacket(type))
            {
                TakePacket(type, block, out frame);
                Pass(block.Length);
                return true;
            }

            TakeOther(type, block);
            Pass(block.Length);
        }

        frame = default;
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _bytes.Dispose();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsPacket(uint type) =>
        type is PcapngLayout.EnhancedPacketBlock or PcapngLayout.SimplePacketBlock or PcapngLayout.PacketBlock;

    private void Pass(int blockBytes)
    {
        _bytes.Advance(blockBytes);
        _blocksRead++;
    }

    // The whole block, its two total lengths checked.
    private bool TryPeekBlock(out ReadOnlySpan<byte> block, out uint type)
    {
        ReadOnlySpan<byte> window = _bytes.Peek(PcapngLayout.BlockBytesMin);
        block = default;
        type = 0;
        if (window.Length < PcapngLayout.BlockBytesMin)
        {
            End(PcapngLayout.BlockBytesMin, window.Length);
            return false;
        }

        type = ReadUInt32(window, PcapngLayout.TypeOffset);
        if (type == PcapngLayout.SectionHeaderBlock)
        {
            SetByteOrder(window);
        }

        uint totalBytes = ReadUInt32(window, PcapngLayout.TotalLengthOffset);
        if (totalBytes is < PcapngLayout.BlockBytesMin or > CaptureLimits.BlockLengthBytesMax || totalBytes % 4 != 0)
        {
            RefuseTotalLength(totalBytes);
        }

        if (window.Length < totalBytes)
        {
            window = _bytes.Peek((int)totalBytes);
            if (window.Length < totalBytes)
            {
                End(totalBytes, window.Length);
                return false;
            }
        }

        block = window[..(int)totalBytes];
        uint trailingBytes = ReadUInt32(block, (int)totalBytes - PcapngLayout.TotalLengthBytes);
        if (trailingBytes != totalBytes)
        {
            throw Damaged($"the block's length is {totalBytes} at its start and {trailingBytes} at its end");
        }

        return true;
    }

    private void SetByteOrder(ReadOnlySpan<byte> window)
    {
        uint magic = BinaryPrimitives.ReadUInt32LittleEndian(window[PcapngLayout.ByteOrderMagicOffset..]);
        _isBigEndian = magic switch
        {
            PcapngLayout.ByteOrderMagic => false,
            _ when BinaryPrimitives.ReverseEndianness(magic) == PcapngLayout.ByteOrderMagic => true,
            _ => throw Damaged($"byte-order magic 1a2b3c4d expected, {BinaryPrimitives.ReverseEndianness(magic):x8} there"),
        };
    }

    private void TakeOther(uint type, ReadOnlySpan<byte> block)
    {
        switch (type)
        {
            case PcapngLayout.SectionHeaderBlock:
                BeginSection(block);
                break;

            case PcapngLayout.InterfaceDescriptionBlock:
                AddInterface(block);
                break;

            default:
                // Names, statistics, secrets, custom blocks and those of the future.
                break;
        }
    }

    private void BeginSection(ReadOnlySpan<byte> block)
    {
        if (block.Length < PcapngLayout.SectionHeaderBytesMin)
        {
            throw Damaged($"a Section Header Block has at least {PcapngLayout.SectionHeaderBytesMin} bytes, {block.Length} there");
        }

        // 1.2 was written by some programs and means 1.0 (4.1).
        int major = ReadUInt16(block, PcapngLayout.MajorVersionOffset);
        int minor = ReadUInt16(block, PcapngLayout.MinorVersionOffset);
        if (major != PcapngLayout.MajorVersion || minor is not (PcapngLayout.MinorVersion or 2))
        {
            throw Damaged($"pcapng version {major}.{minor} is not supported (1.0 is)");
        }

        _section.Clear();
    }

    private void AddInterface(ReadOnlySpan<byte> block)
    {
        int index = Info.Interfaces.Count;
        if (index == CaptureLimits.InterfaceCountMax)
        {
            throw Damaged($"more than {CaptureLimits.InterfaceCountMax} interfaces");
        }

        string? problem = InterfaceDescription.Parse(
            block, _isBigEndian, index, out CaptureInterface? described, out TimestampScale scale);
        if (described is null)
        {
            throw Damaged(problem ?? "an Interface Description Block is damaged");
        }

        Info.Add(described);
        _section.Add(new InterfaceState(described, scale));
    }

    private void TakePacket(uint type, ReadOnlySpan<byte> block, out CapturedFrame frame)
    {
        if (type == PcapngLayout.SimplePacketBlock)
        {
            TakeSimplePacket(block, out frame);
            return;
        }

        if (block.Length < PcapngLayout.PacketBytesMin)
        {
            throw Damaged($"a packet block has at least {PcapngLayout.PacketBytesMin} bytes, {block.Length} there");
        }

        uint number = type == PcapngLayout.EnhancedPacketBlock
            ? ReadUInt32(block, PcapngLayout.PacketInterfaceOffset)
            : ReadUInt16(block, PcapngLayout.PacketInterfaceOffset);
        InterfaceState from = InterfaceOf(number);
        ulong units = ((ulong)ReadUInt32(block, PcapngLayout.TimestampHighOffset) << 32)
            | ReadUInt32(block, PcapngLayout.TimestampLowOffset);
        uint captured = ReadUInt32(block, PcapngLayout.CapturedLengthOffset);
        uint original = ReadUInt32(block, PcapngLayout.OriginalLengthOffset);
        GiveFrame(block, PcapngLayout.PacketDataOffset, from, units, captured, original, out frame);
    }

    // Has no time, no interface and no captured length: the first interface, and what its snap length left of the packet (4.4).
    private void TakeSimplePacket(ReadOnlySpan<byte> block, out CapturedFrame frame)
    {
        if (block.Length < PcapngLayout.SimplePacketBytesMin)
        {
            throw Damaged($"a Simple Packet Block has at least {PcapngLayout.SimplePacketBytesMin} bytes, {block.Length} there");
        }

        InterfaceState from = InterfaceOf(0);
        uint original = ReadUInt32(block, PcapngLayout.SimpleOriginalLengthOffset);
        uint captured = from.SnapLengthBytes == 0 ? original : Math.Min(original, from.SnapLengthBytes);
        GiveFrame(block, PcapngLayout.SimpleDataOffset, from, units: 0, captured, original, out frame);
    }

    private void GiveFrame(
        ReadOnlySpan<byte> block,
        int dataOffset,
        InterfaceState from,
        ulong units,
        uint captured,
        uint original,
        out CapturedFrame frame)
    {
        int roomBytes = block.Length - dataOffset - PcapngLayout.TotalLengthBytes;
        if (captured > CaptureLimits.FrameLengthBytesMax || captured > roomBytes)
        {
            RefuseCapturedLength(captured, roomBytes);
        }

        frame = new CapturedFrame(
            from.Scale.ToNanoseconds(units),
            block.Slice(dataOffset, (int)captured),
            (int)Math.Min(original, int.MaxValue),
            from.Index,
            from.LinkType,
            ++RecordsReadCount);
    }

    private InterfaceState InterfaceOf(uint number)
    {
        if (number >= (uint)_section.Count)
        {
            throw Damaged($"a packet of interface {number}, which its section has not described ({_section.Count} are)");
        }

        return _section[(int)number];
    }

    private void End(long expectedBytes, int thereBytes)
    {
        if (thereBytes > 0 || _bytes.Damage is not null)
        {
            string what = $"block {_blocksRead + 1} (after record {RecordsReadCount})";
            WarnTruncated(what, _bytes.PositionBytes, expectedBytes, thereBytes, _bytes.Damage);
        }
    }

    private void RefuseTotalLength(uint totalBytes) => throw Damaged(totalBytes % 4 != 0
        ? $"a block length of {totalBytes} is no multiple of 4"
        : $"a block length of {totalBytes} is not between {PcapngLayout.BlockBytesMin} and {CaptureLimits.BlockLengthBytesMax}");

    private void RefuseCapturedLength(uint captured, int roomBytes) => throw Damaged(captured > roomBytes
        ? $"a packet claims {captured} captured bytes, its block has room for {roomBytes}"
        : $"a packet claims {captured} captured bytes, at most {CaptureLimits.FrameLengthBytesMax} are possible");

    private CaptureFormatException Damaged(string problem) => new(Name, _bytes.PositionBytes, problem);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private uint ReadUInt32(ReadOnlySpan<byte> bytes, int offset) => _isBigEndian
        ? BinaryPrimitives.ReadUInt32BigEndian(bytes[offset..])
        : BinaryPrimitives.ReadUInt32LittleEndian(bytes[offset..]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ushort ReadUInt16(ReadOnlySpan<byte> bytes, int offset) => _isBigEndian
        ? BinaryPrimitives.ReadUInt16BigEndian(bytes[offset..])
        : BinaryPrimitives.ReadUInt16LittleEndian(bytes[offset..]);

    /// <summary>What a packet of an interface needs to know of it.</summary>
    private sealed class InterfaceState(CaptureInterface described, TimestampScale scale)
    {
        public readonly int Index = described.Index;
        public readonly LinkType LinkType = described.LinkType;
        public readonly uint SnapLengthBytes = (uint)described.SnapLengthBytes;
        public readonly TimestampScale Scale = scale;
    }
}
