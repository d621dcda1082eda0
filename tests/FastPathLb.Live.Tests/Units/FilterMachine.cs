using System.Buffers.Binary;
using FastPathLb.Live.Interop;

namespace FastPathLb.Live.Tests.Units;

/// <summary>The classic packet filter's machine as Documentation/networking/filter.rst describes it, as far as a program here uses it.</summary>
internal static class FilterMachine
{
    private const int NetworkBase = -0x100000;
    private const int LinkBase = -0x200000;
    private const int EthernetBytes = 14;
    private const int LengthMax = 4096;

    /// <summary>Runs a program on an Ethernet frame; a load beyond its end returns 0, as the kernel's does.</summary>
    public static uint Run(ReadOnlySpan<PacketFanout.FilterInstruction> program, ReadOnlySpan<byte> frame)
    {
        Assert.InRange(program.Length, 1, LengthMax);
        uint value = 0;
        uint index = 0;
        for (int at = 0; ; at++)
        {
            PacketFanout.FilterInstruction instruction = program[at];
            uint constant = instruction.Value;
            switch (instruction.Code)
            {
                case 0x28 or 0x30 or 0x40 or 0x48 or 0x50 or 0xB1:
                    int size = instruction.Code switch { 0x28 or 0x48 => 2, 0x40 => 4, _ => 1 };
                    bool isIndexed = instruction.Code is 0x40 or 0x48 or 0x50;
                    if (!TryLoad(frame, unchecked((int)constant + (isIndexed ? (int)index : 0)), size, out uint loaded))
                    {
                        return 0;
                    }

                    (value, index) = instruction.Code == 0xB1 ? (value, (loaded & 15) * 4) : (loaded, index);
                    break;
                case 0x01:
                    index = constant;
                    break;
                case 0x04:
                    value += constant;
                    break;
                case 0x0C:
                    value += index;
                    break;
                case 0x24:
                    value *= constant;
                    break;
                case 0x54:
                    value &= constant;
                    break;
                case 0x64:
                    value <<= (int)constant;
                    break;
                case 0x74:
                    value >>= (int)constant;
                    break;
                case 0x05:
                    at += (int)constant;
                    break;
                case 0x15:
                    at += value == constant ? instruction.JumpTrue : instruction.JumpFalse;
                    break;
                case 0x45:
                    at += (value & constant) != 0 ? instruction.JumpTrue : instruction.JumpFalse;
                    break;
                case 0x07:
                    index = value;
                    break;
                case 0x87:
                    value = index;
                    break;
                case 0x06:
                    return constant;
                case 0x16:
                    return value;
                default:
                    throw new InvalidOperationException($"instruction {at} has the code 0x{instruction.Code:X}");
            }
        }
    }

    private static bool TryLoad(ReadOnlySpan<byte> frame, int offset, int size, out uint value)
    {
        int place = offset >= NetworkBase ? offset - NetworkBase + EthernetBytes : offset - LinkBase;
        value = 0;
        if (place < 0 || place + size > frame.Length)
        {
            return false;
        }

        ReadOnlySpan<byte> bytes = frame[place..];
        value = size switch
        {
            1 => bytes[0],
            2 => BinaryPrimitives.ReadUInt16BigEndian(bytes),
            _ => BinaryPrimitives.ReadUInt32BigEndian(bytes),
        };
        return true;
    }
}
