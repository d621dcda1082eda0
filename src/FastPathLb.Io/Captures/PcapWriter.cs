using System.Buffers.Binary;

namespace FastPathLb.Io.Captures;

/// <summary>Writes classic pcap 2.4.</summary>
internal sealed class PcapWriter : CaptureWriter
{
    private readonly bool _isBigEndian;
    private readonly uint _nanosecondsPerUnit;
    private readonly LinkType _linkType;

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
        (ulong seconds, ulong nanoseconds) = Math.DivRem((ulong)Math.Max(timestampNanoseconds, 0), 1_000_000_000ul);
        if (seconds > uint.MaxValue)
        {
            seconds = uint.MaxValue;
            nanoseconds = 999_999_999;
        }

        Span<byte> record = Output.Append(PcapLayout.RecordHeaderBytes + frame.Length);
        WriteUInt32(record, PcapLayout.SecondsOffset, (uint)seconds);
        WriteUInt32(record, PcapLayout.FractionOffset, (uint)nanoseconds / _nanosecondsPerUnit);
        WriteUInt32(record, PcapLayout.CapturedLengthOffset, (uint)frame.Length);
        WriteUInt32(record, PcapLayout.OriginalLengthOffset, (uint)(originalLengthBytes < 0 ? frame.Length : originalLengthBytes));
        frame.CopyTo(record[PcapLayout.RecordHeaderBytes..]);
        RecordsWritten++;
    }

    private void WriteUInt32(Span<byte> bytes, int offset, uint value) =>
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[offset..], _isBigEndian ? BinaryPrimitives.ReverseEndianness(value) : value);

    private void WriteUInt16(Span<byte> bytes, int offset, ushort value) =>
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[offset..], _isBigEndian ? BinaryPrimitives.ReverseEndianness(value) : value);
}
