using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace FastPathLb.Io.Captures;

/// <summary>Reads classic pcap: both byte orders, all magics that libpcap reads.</summary>
/// <typeparam name="TBytes">Where the bytes come from; the parser is compiled for each.</typeparam>
internal sealed class PcapReader<TBytes> : CaptureReader
    where TBytes : struct, IByteWindow
{
    private readonly bool _isBigEndian;
    private readonly int _recordHeaderBytes;
    private readonly uint _nanosecondsPerUnit;
    private readonly LengthOrder _lengthOrder;
    private readonly LinkType _linkType;

    // Not readonly: it is a struct that moves.
    private TBytes _bytes;

    /// <summary>Reads the file header, whose magic the caller has seen.</summary>
    public PcapReader(TBytes bytes, string name)
        : base(name)
    {
        _bytes = bytes;
        ReadOnlySpan<byte> header = _bytes.Peek(PcapLayout.FileHeaderBytes);
        if (header.Length < PcapLayout.FileHeaderBytes)
        {
            throw new CaptureFormatException(
                name, 0, $"the pcap file header has {PcapLayout.FileHeaderBytes} bytes, {header.Length} there");
        }

        uint magic = BinaryPrimitives.ReadUInt32LittleEndian(header);
        _isBigEndian = magic is not (PcapLayout.MagicMicroseconds or PcapLayout.MagicNanoseconds or PcapLayout.MagicModified);
        bool isNanoseconds = PcapLayout.IsMagic(magic, PcapLayout.MagicNanoseconds);
        bool isModified = PcapLayout.IsMagic(magic, PcapLayout.MagicModified);
        int major = ReadUInt16(header, PcapLayout.MajorVersionOffset);
        int minor = ReadUInt16(header, PcapLayout.MinorVersionOffset);
        uint snapLength = ReadUInt32(header, PcapLayout.SnapLengthOffset);
        uint linkTypeWord = ReadUInt32(header, PcapLayout.LinkTypeWordOffset);

        _lengthOrder = LengthOrderOf(name, major, minor);
        if (PcapLayout.ReservedBitsOf(linkTypeWord) != 0)
        {
            throw new CaptureFormatException(
                name, PcapLayout.LinkTypeWordOffset, $"reserved bits 25..16 of the link type word 0x{linkTypeWord:x8} must be 0");
        }

        _linkType = PcapLayout.LinkTypeOf(linkTypeWord);
        _recordHeaderBytes = isModified ? PcapLayout.ModifiedRecordHeaderBytes : PcapLayout.RecordHeaderBytes;
        _nanosecondsPerUnit = isNanoseconds ? 1u : 1000u;
        Info = new CaptureInfo(CaptureFormat.Pcap, _isBigEndian, major, minor)
        {
            HasModifiedRecords = isModified,
            IsCompressed = _bytes.IsCompressed,
        };
        Info.Add(new CaptureInterface
        {
            Index = 0,
            LinkType = _linkType,
            SnapLengthBytes = snapLength > int.MaxValue ? 0 : snapLength,
            TimestampUnitsPerSecond = isNanoseconds ? 1_000_000_000u : 1_000_000u,
            FrameCheckSequenceBytes = PcapLayout.FrameCheckSequenceBytesOf(linkTypeWord),
        });
        _bytes.Advance(PcapLayout.FileHeaderBytes);
    }

    /// <summary>Which length of a record comes first. They changed places in version 2.3, and some files of 2.3 did not.</summary>
    private enum LengthOrder
    {
        CapturedFirst,
        ShorterIsCaptured,
        OriginalFirst,
    }

    public override CaptureInfo Info { get; }

    public override long PositionBytes => _bytes.PositionBytes;

    public override long? LengthBytes => _bytes.LengthBytes;

    public override bool TryRead(out CapturedFrame frame)
    {
        int headerBytes = _recordHeaderBytes;
        ReadOnlySpan<byte> window = _bytes.Peek(headerBytes);
        if (window.Length < headerBytes)
        {
            return End(window.Length, headerBytes, out frame);
        }

        ReadOnlySpan<byte> header = window[..PcapLayout.RecordHeaderBytes];
        uint seconds = ReadUInt32(header, PcapLayout.SecondsOffset);
        uint fraction = ReadUInt32(header, PcapLayout.FractionOffset);
        uint captured = ReadUInt32(header, PcapLayout.CapturedLengthOffset);
        uint original = ReadUInt32(header, PcapLayout.OriginalLengthOffset);
        if (_lengthOrder != LengthOrder.CapturedFirst)
        {
            SetLengthsInOrder(ref captured, ref original);
        }

        if (captured > CaptureLimits.FrameLengthBytesMax)
        {
            RefuseLength(captured);
        }

        int recordBytes = headerBytes + (int)captured;
        if (window.Length < recordBytes)
        {
            window = _bytes.Peek(recordBytes);
            if (window.Length < recordBytes)
            {
                return End(window.Length, recordBytes, out frame);
            }
        }

        _bytes.Advance(recordBytes);
        frame = new CapturedFrame(
            (seconds * 1_000_000_000L) + ((long)fraction * _nanosecondsPerUnit),
            window.Slice(headerBytes, (int)captured),
            (int)Math.Min(original, int.MaxValue),
            interfaceIndex: 0,
            _linkType,
            ++RecordsReadCount);
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _bytes.Dispose();
        }
    }

    // As libpcap: 2.0 to 2.4, and 543.0 which DG/UX writes.
    private static LengthOrder LengthOrderOf(string name, int major, int minor) => (major, minor) switch
    {
        (PcapLayout.MajorVersion, PcapLayout.MinorVersion) => LengthOrder.CapturedFirst,
        (PcapLayout.MajorVersion, 3) => LengthOrder.ShorterIsCaptured,
        (PcapLayout.MajorVersion, < 3) or (PcapLayout.DguxMajorVersion, 0) => LengthOrder.OriginalFirst,
        _ => throw new CaptureFormatException(
            name, PcapLayout.MajorVersionOffset, $"pcap version {major}.{minor} is not supported (2.0 to 2.4 are)"),
    };

    private void SetLengthsInOrder(ref uint captured, ref uint original)
    {
        if (_lengthOrder == LengthOrder.OriginalFirst || captured > original)
        {
            (captured, original) = (original, captured);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private uint ReadUInt32(ReadOnlySpan<byte> bytes, int offset) => _isBigEndian
        ? BinaryPrimitives.ReadUInt32BigEndian(bytes[offset..])
        : BinaryPrimitives.ReadUInt32LittleEndian(bytes[offset..]);

    private ushort ReadUInt16(ReadOnlySpan<byte> bytes, int offset) => _isBigEndian
        ? BinaryPrimitives.ReadUInt16BigEndian(bytes[offset..])
        : BinaryPrimitives.ReadUInt16LittleEndian(bytes[offset..]);

    private bool End(int thereBytes, int expectedBytes, out CapturedFrame frame)
    {
        if (thereBytes > 0 || _bytes.Damage is not null)
        {
            WarnTruncated($"record {RecordsReadCount + 1}", _bytes.PositionBytes, expectedBytes, thereBytes, _bytes.Damage);
        }

        frame = default;
        return false;
    }

    private void RefuseLength(uint captured)
    {
        Debug.Assert(captured > CaptureLimits.FrameLengthBytesMax, "Called for a length that is allowed.");
        throw new CaptureFormatException(
            Name,
            _bytes.PositionBytes,
            $"record {RecordsReadCount + 1} claims {captured} captured bytes, at most {CaptureLimits.FrameLengthBytesMax} are possible");
    }
}
