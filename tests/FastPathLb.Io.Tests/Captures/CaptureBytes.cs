using System.Buffers.Binary;
using System.Text;

namespace FastPathLb.Io.Tests.Captures;

/// <summary>Puts capture files together byte by byte, odd ones too, without the writer under test.</summary>
internal sealed class CaptureBytes(bool isBigEndian = false)
{
    public const uint Microseconds = 0xa1b2c3d4;
    public const uint Nanoseconds = 0xa1b23c4d;
    public const uint Modified = 0xa1b2cd34;

    private readonly List<byte> _bytes = [];

    public int Length => _bytes.Count;

    public byte[] ToArray() => [.. _bytes];

    public CaptureBytes Append(params byte[] bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public CaptureBytes UInt16(int value)
    {
        byte[] bytes = new byte[2];
        if (isBigEndian)
        {
            BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)value);
        }
        else
        {
            BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)value);
        }

        return Append(bytes);
    }

    public CaptureBytes UInt32(uint value)
    {
        byte[] bytes = new byte[4];
        if (isBigEndian)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        }
        else
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        }

        return Append(bytes);
    }

    public CaptureBytes UInt64(ulong value) => isBigEndian
        ? UInt32((uint)(value >> 32)).UInt32((uint)value)
        : UInt32((uint)value).UInt32((uint)(value >> 32));

    public CaptureBytes PcapHeader(
        uint magic = Microseconds,
        uint linkTypeWord = 1,
        uint snapLength = 262144,
        int major = 2,
        int minor = 4) =>
        UInt32(magic).UInt16(major).UInt16(minor).UInt32(0).UInt32(0).UInt32(snapLength).UInt32(linkTypeWord);

    public CaptureBytes PcapRecord(uint seconds, uint fraction, byte[] data, uint? originalLength = null) =>
        UInt32(seconds).UInt32(fraction).UInt32((uint)data.Length).UInt32(originalLength ?? (uint)data.Length).Append(data);

    /// <summary>A block with both total lengths right, its body padded.</summary>
    public CaptureBytes Block(uint type, Action<CaptureBytes> body)
    {
        var inner = new CaptureBytes(isBigEndian);
        body(inner);
        inner.Pad();
        uint length = (uint)inner.Length + 12;
        return UInt32(type).UInt32(length).Append(inner.ToArray()).UInt32(length);
    }

    public CaptureBytes Section(int major = 1, int minor = 0, long sectionLength = -1) =>
        Block(0x0a0d0d0a, b => b.UInt32(0x1a2b3c4d).UInt16(major).UInt16(minor).UInt64((ulong)sectionLength));

    public CaptureBytes Interface(int linkType = 1, uint snapLength = 0, Action<CaptureBytes>? options = null) =>
        Block(1, b =>
        {
            b.UInt16(linkType).UInt16(0).UInt32(snapLength);
            options?.Invoke(b);
        });

    public CaptureBytes Option(int code, params byte[] value) => UInt16(code).UInt16(value.Length).Append(value).Pad();

    public CaptureBytes Option(int code, string value) => Option(code, Encoding.UTF8.GetBytes(value));

    public CaptureBytes EndOfOptions() => UInt32(0);

    public CaptureBytes EnhancedPacket(
        uint interfaceNumber,
        ulong units,
        byte[] data,
        uint? originalLength = null,
        Action<CaptureBytes>? options = null) =>
        Block(6, b =>
        {
            b.UInt32(interfaceNumber).UInt32((uint)(units >> 32)).UInt32((uint)units);
            b.UInt32((uint)data.Length).UInt32(originalLength ?? (uint)data.Length).Append(data).Pad();
            options?.Invoke(b);
        });

    public CaptureBytes SimplePacket(byte[] data, uint? originalLength = null) =>
        Block(3, b => b.UInt32(originalLength ?? (uint)data.Length).Append(data));

    public CaptureBytes ObsoletePacket(int interfaceNumber, ulong units, byte[] data) =>
        Block(2, b => b
            .UInt16(interfaceNumber).UInt16(7)
            .UInt32((uint)(units >> 32)).UInt32((uint)units)
            .UInt32((uint)data.Length).UInt32((uint)data.Length).Append(data));

    private CaptureBytes Pad()
    {
        while (_bytes.Count % 4 != 0)
        {
            _bytes.Add(0);
        }

        return this;
    }
}
