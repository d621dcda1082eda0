using FastPathLb.Balancer.Stack;
using FastPathLb.Balancer.Workers;
using FastPathLb.Live.Interop;
using FastPathLb.Live.Running;

namespace FastPathLb.Live.Devices;

/// <summary>
/// What <see cref="FrameSteering"/> says, as a classic packet filter (Documentation/networking/filter.rst) that the kernel runs to choose a frame's socket: TCP and
/// UDP come to their worker at once.
/// </summary>
/// <remarks>
/// A hint as that one is: what it does not decide comes to the first worker, whose software does. So it may leave out what is rare: ICMP, what is
/// merely forwarded, addresses above <see cref="AddressesMax"/>.
/// <code>
/// [underlay: UDP to the VXLAN port, inner IPv4; X = where the inner packet begins, from the outer's start]
/// no fragment, TCP or UDP (Lite) or SCTP
/// destination is an address that sources are translated to ─► destination port ─┐
/// destination is another address of the namespace's own ────► source port ──────┴─► WorkerOfPort
/// </code>
/// </remarks>
internal static class SteeringProgram
{
    /// <summary>Most addresses in a program: it may have 4,096 instructions (BPF_MAXINSNS).</summary>
    public const int AddressesMax = 1900;

    // Loads relative to the link-layer and the network header, wherever the packet's data begins at the moment (SKF_LL_OFF, SKF_NET_OFF).
    private const int Link = -0x200000;
    private const int Network = -0x100000;

    private const ushort LoadHalfAbsolute = 0x28;
    private const ushort LoadByteAbsolute = 0x30;
    private const ushort LoadWordIndexed = 0x40;
    private const ushort LoadHalfIndexed = 0x48;
    private const ushort LoadByteIndexed = 0x50;
    private const ushort LoadIndexConstant = 0x01;
    private const ushort LoadIndexHeaderLength = 0xB1;
    private const ushort AddConstant = 0x04;
    private const ushort AddIndex = 0x0C;
    private const ushort Multiply = 0x24;
    private const ushort And = 0x54;
    private const ushort ShiftLeft = 0x64;
    private const ushort ShiftRight = 0x74;
    private const ushort Jump = 0x05;
    private const ushort JumpIfEqual = 0x15;
    private const ushort JumpIfAnyBit = 0x45;
    private const ushort ReturnConstant = 0x06;
    private const ushort ReturnValue = 0x16;
    private const ushort ToIndex = 0x07;
    private const ushort FromIndex = 0x87;

    private const uint Ipv4EtherType = 0x0800;
    private const uint FragmentBits = 0x3FFF;
    private const uint Udp = 17;
    private const int EtherTypeOffset = 12;
    private const int FragmentOffset = 6;
    private const int ProtocolOffset = 9;
    private const int DestinationOffset = 16;
    private const int DestinationPortOffset = 2;
    private const int TunnelBytes = 8 + 8;
    private const int EthernetBytes = 14;

    // What the kernel calls SCTP and UDP-Lite have their ports where TCP has them.
    private static readonly uint[] s_protocols = [6, Udp, 132, 136];

    /// <summary>Writes the program for a load balancer as it stands. While no worker runs.</summary>
    public static PacketFanout.FilterInstruction[] Compile(LiveMembers members)
    {
        NetworkNamespace space = members.First.Namespace;
        List<PacketFanout.FilterInstruction> program = [];
        FrameSteering steering = members.Group!.Steering;
        if (steering.IsWhole)
        {
            Add(program, ReturnConstant, 0);
            return [.. program];
        }

        Add(program, LoadHalfAbsolute, Link + EtherTypeOffset);
        Require(program, Ipv4EtherType);
        if (members.First.Network is { } network)
        {
            SkipEnvelope(program, network.Uplink.Port);
        }
        else
        {
            Add(program, LoadIndexConstant, 0);
        }

        Add(program, LoadHalfIndexed, Network + FragmentOffset);
        Add(program, JumpIfAnyBit, unchecked((int)FragmentBits), whenTrue: 0, whenFalse: 1);
        Add(program, ReturnConstant, 0);
        Add(program, LoadByteIndexed, Network + ProtocolOffset);
        for (int index = 0; index < s_protocols.Length; index++)
        {
            Add(program, JumpIfEqual, (int)s_protocols[index], whenTrue: (byte)(s_protocols.Length - index), whenFalse: 0);
        }

        Add(program, ReturnConstant, 0);
        Add(program, LoadWordIndexed, Network + DestinationOffset);
        Choose(program, steering, space, members.All.Count);
        return [.. program];
    }

    private static void SkipEnvelope(List<PacketFanout.FilterInstruction> program, ushort port)
    {
        Add(program, LoadHalfAbsolute, Network + FragmentOffset);
        Add(program, JumpIfAnyBit, unchecked((int)FragmentBits), whenTrue: 0, whenFalse: 1);
        Add(program, ReturnConstant, 0);
        Add(program, LoadByteAbsolute, Network + ProtocolOffset);
        Require(program, Udp);
        Add(program, LoadIndexHeaderLength, Network);
        Add(program, LoadHalfIndexed, Network + DestinationPortOffset);
        Require(program, port);
        Add(program, LoadHalfIndexed, Network + TunnelBytes + EtherTypeOffset);
        Require(program, Ipv4EtherType);
        Add(program, FromIndex, 0);
        Add(program, AddConstant, TunnelBytes + EthernetBytes);
        Add(program, ToIndex, 0);
    }

    private static void Choose(List<PacketFanout.FilterInstruction> program, FrameSteering steering, NetworkNamespace space, int workers)
    {
        uint[] translated = [.. steering.TranslatedAddresses.Take(AddressesMax)];
        uint[] own =
        [
            .. space.Interfaces.SelectMany(device => device.Addresses).Select(prefix => prefix.Address.Value).Except(translated)
                .Take(AddressesMax - translated.Length),
        ];

        // A jump over more than 255 instructions has an instruction of its own.
        const int PerAddress = 2;
        int hashInstructions = CountOfHash(workers);
        int left = PerAddress * (translated.Length + own.Length);
        foreach (uint address in translated)
        {
            left -= PerAddress;
            Add(program, JumpIfEqual, unchecked((int)address), whenTrue: 0, whenFalse: 1);
            Add(program, Jump, left + 1);
        }

        foreach (uint address in own)
        {
            left -= PerAddress;
            Add(program, JumpIfEqual, unchecked((int)address), whenTrue: 0, whenFalse: 1);
            Add(program, Jump, left + 1 + hashInstructions);
        }

        Add(program, ReturnConstant, 0);
        AddHash(program, DestinationPortOffset, workers);
        AddHash(program, 0, workers);
    }

    private static int CountOfHash(int workers)
    {
        List<PacketFanout.FilterInstruction> one = [];
        AddHash(one, 0, workers);
        return one.Count;
    }

    /// <summary>Ends with the worker of a port (<see cref="FrameSteering.WorkerOfPort"/>), which lies so many bytes after the IPv4 header at X.</summary>
    private static void AddHash(List<PacketFanout.FilterInstruction> program, int portOffset, int workers)
    {
        Add(program, LoadByteIndexed, Network);
        Add(program, And, 15);
        Add(program, ShiftLeft, 2);
        Add(program, AddIndex, 0);
        Add(program, ToIndex, 0);
        Add(program, LoadHalfIndexed, Network + portOffset);
        Add(program, Multiply, unchecked((int)FrameSteering.PortMultiplier));
        Add(program, ShiftRight, 16);
        Add(program, Multiply, workers);
        Add(program, ShiftRight, 16);
        Add(program, ReturnValue, 0);
    }

    /// <summary>What was loaded is this, or the first worker gets the frame.</summary>
    private static void Require(List<PacketFanout.FilterInstruction> program, uint value)
    {
        Add(program, JumpIfEqual, unchecked((int)value), whenTrue: 1, whenFalse: 0);
        Add(program, ReturnConstant, 0);
    }

    private static void Add(List<PacketFanout.FilterInstruction> program, ushort code, int value, byte whenTrue = 0, byte whenFalse = 0) =>
        program.Add(new PacketFanout.FilterInstruction { Code = code, JumpTrue = whenTrue, JumpFalse = whenFalse, Value = unchecked((uint)value) });
}
