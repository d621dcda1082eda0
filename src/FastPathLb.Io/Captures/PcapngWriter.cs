using System.Buffers.Binary;
using System.Text;

namespace FastPathLb.Io.Captures;

/// <summary>Writes pcapng 1.0: one section, an Enhanced Packet Block without options for each frame.</summary>
internal sealed class PcapngWriter : CaptureWriter
{
    private const byte NanosecondResolution = 9;
    private const byte MicrosecondResolution = 6;
    private const string Application = "FastPathLb";

    private readonly CaptureWriterOptions _options;
    private readonly bool _isBigEndian;
    private readonly uint _nanosecondsPerUnit;
    private int _interfaceCount;

    public PcapngWriter(Stream stream, string name, CaptureWriterOptions options)
        : base(stream, name)
    {
        _options = options;
        _isBigEndian = options.IsBigEndian;
        _nanosecondsPerUnit = options.IsMicroseconds ? 1000u : 1u;
        WriteSectionHeader();
    }

    public override CaptureFormat Format => CaptureFormat.Pcapng;

    public override int AddInterface(string name, LinkType linkType)
    {
        if (_interfaceCount == CaptureLimits.InterfaceCountMax)
        {
            throw new InvalidOperationException($"{Name}: a capture has at most {CaptureLimits.InterfaceCountMax} interfaces.");
        }

        byte[] nameBytes = Encoding.UTF8.GetBytes(name ?? "");
        ReadOnlySpan<byte> kept = nameBytes.AsSpan(0, Math.Min(nameBytes.Length, CaptureLimits.InterfaceNameBytesMax));
        int nameOptionBytes = kept.IsEmpty ? 0 : OptionBytes(kept.Length);
        int totalBytes = PcapngLayout.InterfaceDescriptionBytesMin + nameOptionBytes + OptionBytes(1) + OptionBytes(0);

        Span<byte> block = BeginBlock(PcapngLayout.InterfaceDescriptionBlock, totalBytes);
        WriteUInt16(block, PcapngLayout.LinkTypeOffset, (ushort)linkType);
        WriteUInt32(block, PcapngLayout.SnapLengthOffset, (uint)_options.SnapLengthBytes);
        Span<byte> options = block[PcapngLayout.InterfaceOptionsOffset..];
        if (!kept.IsEmpty)
        {
            options = WriteOption(options, PcapngLayout.InterfaceNameOption, kept);
        }

        WriteOption(
            options,
            PcapngLayout.TimestampResolutionOption,
            [_options.IsMicroseconds ? MicrosecondResolution : NanosecondResolution]);
        return _interfaceCount++;
    }

    public override void Write(
        long timestampNanoseconds,
        ReadOnlySpan<byte> frame,
        int interfaceIndex = 0,
        int originalLengthBytes = -1)
    {
        CheckFrameLength(frame.Length);
        if (_interfaceCount == 0)
        {
            AddInterface("", _options.LinkType);
        }

        if ((uint)interfaceIndex >= (uint)_interfaceCount)
        {
            throw new ArgumentOutOfRangeException(
                nameof(interfaceIndex), interfaceIndex, $"{Name} has {_interfaceCount} interfaces.");
        }

        ulong units = (ulong)Math.Max(timestampNanoseconds, 0) / _nanosecondsPerUnit;
        int paddedBytes = PcapngLayout.Padded(frame.Length);
        int totalBytes = PcapngLayout.PacketBytesMin + paddedBytes;
        Span<byte> block = Output.Append(totalBytes);
        WriteUInt32(block, PcapngLayout.TypeOffset, PcapngLayout.EnhancedPacketBlock);
        WriteUInt32(block, PcapngLayout.TotalLengthOffset, (uint)totalBytes);
        WriteUInt32(block, PcapngLayout.PacketInterfaceOffset, (uint)interfaceIndex);
        WriteUInt32(block, PcapngLayout.TimestampHighOffset, (uint)(units >> 32));
        WriteUInt32(block, PcapngLayout.TimestampLowOffset, (uint)units);
        WriteUInt32(block, PcapngLayout.CapturedLengthOffset, (uint)frame.Length);
        WriteUInt32(block, PcapngLayout.OriginalLengthOffset, (uint)(originalLengthBytes < 0 ? frame.Length : originalLengthBytes));
        Span<byte> data = block[PcapngLayout.PacketDataOffset..];
        frame.CopyTo(data);
        data[frame.Length..paddedBytes].Clear();
        WriteUInt32(data, paddedBytes, (uint)totalBytes);
        RecordsWritten++;
    }

    private static int OptionBytes(int valueBytes) => PcapngLayout.OptionHeaderBytes + PcapngLayout.Padded(valueBytes);

    private void WriteSectionHeader()
    {
        ReadOnlySpan<byte> application = Encoding.UTF8.GetBytes(Application);
        int totalBytes = PcapngLayout.SectionHeaderBytesMin + OptionBytes(application.Length) + OptionBytes(0);
        Span<byte> block = BeginBlock(PcapngLayout.SectionHeaderBlock, totalBytes);
        WriteUInt32(block, PcapngLayout.ByteOrderMagicOffset, PcapngLayout.ByteOrderMagic);
        WriteUInt16(block, PcapngLayout.MajorVersionOffset, PcapngLayout.MajorVersion);
        WriteUInt16(block, PcapngLayout.MinorVersionOffset, PcapngLayout.MinorVersion);
        block.Slice(PcapngLayout.SectionLengthOffset, sizeof(long)).Fill(0xff);
        WriteOption(block[PcapngLayout.SectionOptionsOffset..], PcapngLayout.UserApplicationOption, application);
    }

    // All zero but the type and the two lengths; the zeros are padding and the end of the options, too.
    private Span<byte> BeginBlock(uint type, int totalBytes)
    {
        Span<byte> block = Output.Append(totalBytes);
        block.Clear();
        WriteUInt32(block, PcapngLayout.TypeOffset, type);
        WriteUInt32(block, PcapngLayout.TotalLengthOffset, (uint)totalBytes);
        WriteUInt32(block, totalBytes - PcapngLayout.TotalLengthBytes, (uint)totalBytes);
        return block;
    }

    private Span<byte> WriteOption(Span<byte> options, ushort code, ReadOnlySpan<byte> value)
    {
        WriteUInt16(options, 0, code);
        WriteUInt16(options, 2, (ushort)value.Length);
        value.CopyTo(options[PcapngLayout.OptionHeaderBytes..]);
        return options[OptionBytes(value.Length)..];
    }

    private void WriteUInt32(Span<byte> bytes, int offset, uint value) =>
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[offset..], _isBigEndian ? BinaryPrimitives.ReverseEndianness(value) : value);

    private void WriteUInt16(Span<byte> bytes, int offset, ushort value) =>
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[offset..], _isBigEndian ? BinaryPrimitives.ReverseEndianness(value) : value);
}
