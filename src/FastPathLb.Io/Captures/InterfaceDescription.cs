using System.Buffers.Binary;
using System.Text;

namespace FastPathLb.Io.Captures;

/// <summary>Parses an Interface Description Block (pcapng 4.2).</summary>
internal static class InterfaceDescription
{
    /// <summary>Parses one block whose total lengths have been checked.</summary>
    /// <param name="block">The whole block.</param>
    /// <param name="isBigEndian">The section's byte order.</param>
    /// <param name="index">The interface's place in the file.</param>
    /// <param name="described">What it says.</param>
    /// <param name="scale">How to read its timestamps.</param>
    /// <returns>Null, or what is wrong with it.</returns>
    public static string? Parse(
        ReadOnlySpan<byte> block,
        bool isBigEndian,
        int index,
        out CaptureInterface? described,
        out TimestampScale scale)
    {
        described = null;
        scale = default;
        if (block.Length < PcapngLayout.InterfaceDescriptionBytesMin)
        {
            return $"an Interface Description Block has at least {PcapngLayout.InterfaceDescriptionBytesMin} bytes, {block.Length} there";
        }

        Options options = default;
        string? problem = options.Parse(block[PcapngLayout.InterfaceOptionsOffset..^PcapngLayout.TotalLengthBytes], isBigEndian);
        if (problem is not null)
        {
            return problem;
        }

        byte resolution = options.Resolution ?? PcapngLayout.TimestampResolutionDefault;
        long offsetSeconds = options.OffsetSeconds ?? 0;
        if (!TimestampScale.TryCreate(resolution, offsetSeconds, out scale))
        {
            return $"if_tsresol 0x{resolution:x2} is finer than 64 bits can count (10^-19 s and 2^-63 s are the finest)";
        }

        uint snapLength = ReadUInt32(block, PcapngLayout.SnapLengthOffset, isBigEndian);
        described = new CaptureInterface
        {
            Index = index,
            LinkType = PcapLayout.Normalize((LinkType)ReadUInt16(block, PcapngLayout.LinkTypeOffset, isBigEndian)),
            Name = options.Name,
            SnapLengthBytes = snapLength > int.MaxValue ? 0 : snapLength,
            TimestampUnitsPerSecond = scale.UnitsPerSecond,
            TimestampOffsetSeconds = offsetSeconds,
        };
        return null;
    }

    private static uint ReadUInt32(ReadOnlySpan<byte> bytes, int offset, bool isBigEndian) => isBigEndian
        ? BinaryPrimitives.ReadUInt32BigEndian(bytes[offset..])
        : BinaryPrimitives.ReadUInt32LittleEndian(bytes[offset..]);

    private static ushort ReadUInt16(ReadOnlySpan<byte> bytes, int offset, bool isBigEndian) => isBigEndian
        ? BinaryPrimitives.ReadUInt16BigEndian(bytes[offset..])
        : BinaryPrimitives.ReadUInt16LittleEndian(bytes[offset..]);

    private struct Options
    {
        public string? Name;
        public byte? Resolution;
        public long? OffsetSeconds;

        public string? Parse(ReadOnlySpan<byte> options, bool isBigEndian)
        {
            while (options.Length >= PcapngLayout.OptionHeaderBytes)
            {
                int code = ReadUInt16(options, 0, isBigEndian);
                int lengthBytes = ReadUInt16(options, 2, isBigEndian);
                options = options[PcapngLayout.OptionHeaderBytes..];
                if (code == PcapngLayout.EndOfOptions)
                {
                    return null;
                }

                if (lengthBytes > options.Length)
                {
                    return $"option {code} of an Interface Description Block has {lengthBytes} bytes, {options.Length} there";
                }

                string? problem = Take(code, options[..lengthBytes], isBigEndian);
                if (problem is not null)
                {
                    return problem;
                }

                options = options[Math.Min(PcapngLayout.Padded(lengthBytes), options.Length)..];
            }

            return null;
        }

        // A wrong length of the two options that decide what time it is must not be passed over; all others are.
        private string? Take(int code, ReadOnlySpan<byte> value, bool isBigEndian)
        {
            switch (code)
            {
                case PcapngLayout.InterfaceNameOption:
                    Name ??= Encoding.UTF8.GetString(value[..Math.Min(value.Length, CaptureLimits.InterfaceNameBytesMax)]).TrimEnd('\0');
                    return null;

                case PcapngLayout.TimestampResolutionOption when value.Length != 1:
                    return $"option if_tsresol has 1 byte, {value.Length} there";

                case PcapngLayout.TimestampResolutionOption when Resolution is not null:
                    return "option if_tsresol is there twice";

                case PcapngLayout.TimestampResolutionOption:
                    Resolution = value[0];
                    return null;

                case PcapngLayout.TimestampOffsetOption when value.Length != sizeof(long):
                    return $"option if_tsoffset has {sizeof(long)} bytes, {value.Length} there";

                case PcapngLayout.TimestampOffsetOption when OffsetSeconds is not null:
                    return "option if_tsoffset is there twice";

                case PcapngLayout.TimestampOffsetOption:
                    OffsetSeconds = isBigEndian
                        ? BinaryPrimitives.ReadInt64BigEndian(value)
                        : BinaryPrimitives.ReadInt64LittleEndian(value);
                    return null;

                default:
                    return null;
            }
        }
    }
}
