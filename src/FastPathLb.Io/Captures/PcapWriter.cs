using System.Buffers.Binary;

namespace FastPathLb.Io.Captures;

/// <summary>Writes classic pcap 2.4.</summary>
internal sealed class PcapWriter : CaptureWriter
{
    private const ulong NanosecondsPerSecond = 1_000_000_000;

    private readonly bool _isBigEndian;
    private readonly uint _nanosecondsPerUnit;
    private readonly LinkType _linkType;

    // The second of the last record: most records share it with the one before.
    private ulong _second;
    private ulong _secondNanoseconds;

    public PcapWriter(Stream stream, string name, CaptureWriterOptions options)
        : base(stream, name)
    {
        _isBigEndian = options.IsBigEndian;
        _nanosecondsPerUnit = options.IsMicroseconds ? 1000u : 1u;
        _linkType = options.LinkType;

        Span<byte> header = Output.Append(PcapLayout.FileHeaderBytes);
        header.Clear();
        WriteUInt32(header, 0, options.IsMicroseconds ? PcapLayout.MagicMicroseconds : PcapLayout.MagicNanoseconds);
        WriteUInt16(header, PcapLayout.MajorVersionOffset, PcapLayout.MajorVersion);
        WriteUInt16(header, PcapLayout.MinorVersionOffset, PcapLayout.MinorVersion);
        WriteUInt32(header, PcapLayout.SnapLengthOffset, (uint)options.SnapLengthBytes);
        WriteUInt32(header, PcapLayout.LinkTypeWordOffset, (uint)options.LinkType);
    }

    public override CaptureFormat Format => CaptureFormat.Pcap;

    public override int AddInterface(string name, LinkType linkType)
    {
        if (linkType != _linkType)
        {
            throw new InvalidOperationException(
                $"{Name}: a pcap file has one link type, this one {_linkType}: for frames of {linkType} too, write a .pcapng file.");
        }

        return 0;
    }

    public override void Write(
        long timestampNanoseconds,
        ReadOnlySpan<byte> frame,
        int interfaceIndex = 0,
        int originalLengthBytes = -1)
    {
        CheckFrameLength(frame.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(interfaceIndex, 0);
        ulong nanoseconds = (ulong)Math.Max(timestampNanoseconds, 0) - _secondNanoseconds;
        if (nanoseconds >= NanosecondsPerSecond)
        {
            nanoseconds = BeginSecond((ulong)Math.Max(timestampNanoseconds, 0));
        }

        Span<byte> record = Output.Append(PcapLayout.RecordHeaderBytes + frame.Length);
        WriteUInt32(record, PcapLayout.SecondsOffset, (uint)_second);
        WriteUInt32(record, PcapLayout.FractionOffset, (uint)nanoseconds / _nanosecondsPerUnit);
        WriteUInt32(record, PcapLayout.CapturedLengthOffset, (uint)frame.Length);
        WriteUInt32(record, PcapLayout.OriginalLengthOffset, (uint)(originalLengthBytes < 0 ? frame.Length : originalLengthBytes));
        frame.CopyTo(record[PcapLayout.RecordHeaderBytes..]);
        RecordsWritten++;
    }

    // What is after 2106 becomes the last instant before.
    private ulong BeginSecond(ulong timestamp)
    {
        _second = Math.Min(timestamp / NanosecondsPerSecond, uint.MaxValue);
        _secondNanoseconds = _second * NanosecondsPerSecond;
        return Math.Min(timestamp - _secondNanoseconds, NanosecondsPerSecond - 1);
    }

    private void WriteUInt32(Span<byte> bytes, int offset, uint value) =>
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[offset..], _isBigEndian ? BinaryPrimitives.ReverseEndianness(value) : value);

    private void WriteUInt16(Span<byte> bytes, int offset, ushort value) =>
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[offset..], _isBigEndian ? BinaryPrimitives.ReverseEndianness(value) : value);
}
