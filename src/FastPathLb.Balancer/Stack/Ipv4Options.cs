using System.Buffers.Binary;

namespace FastPathLb.Balancer.Stack;

/// <summary>
/// IPv4 options: checked and filled in on the way in (__ip_options_compile in net/ipv4/ip_options.c), filled in on the way through
/// (ip_forward_options), blanked in later fragments (ip_options_fragment). Source routes are refused (accept_source_route is 0).
/// </summary>
internal static class Ipv4Options
{
    /// <summary>There is nothing wrong with the options.</summary>
    public const int None = -1;

    /// <summary>Most bytes that options take.</summary>
    public const int LengthMax = 40;

    private const int AddressBytes = 4;
    private const byte End = 0;
    private const byte NoOperation = 1;
    private const byte RecordRoute = 7;
    private const byte Timestamp = 68;
    private const byte LooseSourceRoute = 131;
    private const byte StrictSourceRoute = 137;
    private const byte RouterAlert = 148;
    private const byte CopiedFlag = 0x80;
    private const byte TimesOnly = 0;
    private const byte TimesAndAddresses = 1;
    private const byte TimesOfNamedAddresses = 3;
    private const byte StampFlagsMask = 15;

    /// <summary>
    /// Checks the options of a packet that came in, and fills them in. The header's checksum is left as it was, as the kernel leaves
    /// it until the packet is sent on: an error meanwhile quotes it so.
    /// </summary>
    /// <param name="packet">The packet, routed.</param>
    /// <param name="space">Where it came in.</param>
    /// <param name="isLocalRoute">Whether its route ends here: then it was seen with the address that it called.</param>
    /// <returns>Offset in the IPv4 header of the first thing that is wrong, or <see cref="None"/>.</returns>
    public static int Compile(Packet packet, NetworkNamespace space, bool isLocalRoute)
    {
        packet.Options = default;
        Span<byte> header = packet.Bytes[..packet.HeaderLengthBytes];
        for (int at = Ipv4.HeaderLengthMinimum; at < header.Length;)
        {
            if (header[at] == End)
            {
                packet.Options.IsChanged |= header[at..].ContainsAnyExcept(End);
                header[at..].Clear();
                break;
            }

            if (header[at] == NoOperation)
            {
                at++;
                continue;
            }

            int left = header.Length - at;
            if (left < 2 || header[at + 1] < 2 || header[at + 1] > left)
            {
                return at;
            }

            int problem = CompileOne(packet, space, header, at, isLocalRoute);
            if (problem != None)
            {
                return at + problem;
            }

            at += header[at + 1];
        }

        return None;
    }

    /// <summary>Notes the way out in a packet that is sent on, and makes its header's checksum right again.</summary>
    public static void Forward(Packet packet, NetworkNamespace space)
    {
        if (packet.Options.RecordsRoute)
        {
            Span<byte> option = packet.Bytes[packet.Options.RecordRoute..];
            BinaryPrimitives.WriteUInt32BigEndian(option[(option[2] - 1 - AddressBytes)..], SeenFrom(space, packet, packet.Destination));
            packet.Options.IsChanged = true;
        }

        Finish(packet);
    }

    /// <summary>Makes the header's checksum right again where options were filled in (ip_send_check).</summary>
    public static void Finish(Packet packet)
    {
        if (packet.Options.IsChanged)
        {
            packet.Options.IsChanged = false;
            Ipv4.WriteChecksum(packet.Bytes);
        }
    }

    /// <summary>Blanks the options that only a datagram's first fragment has.</summary>
    public static void KeepCopied(Span<byte> options)
    {
        for (int at = 0; at < options.Length && options[at] != End;)
        {
            if (options[at] == NoOperation)
            {
                at++;
                continue;
            }

            if (at + 1 == options.Length || options[at + 1] < 2 || options[at + 1] > options.Length - at)
            {
                return;
            }

            int length = options[at + 1];
            if ((options[at] & CopiedFlag) == 0)
            {
                options.Slice(at, length).Fill(NoOperation);
            }

            at += length;
        }
    }

    /// <summary>
    /// Puts into a packet of our own the options of the one it answers, with room in records (__ip_options_echo), and fills them in
    /// (ip_options_build). The answer's fixed header has been written; its checksum is made right.
    /// </summary>
    /// <param name="about">The packet that is answered.</param>
    /// <param name="space">Who answers.</param>
    /// <param name="header">The answer's header: its first 20 bytes are there, <see cref="EchoedLength"/> bytes of options follow.</param>
    /// <param name="now">Time, nanoseconds since the Unix epoch.</param>
    public static void Echo(Packet about, NetworkNamespace space, Span<byte> header, long now)
    {
        int length = EchoedLength(about);
        if (length <= 0)
        {
            return;
        }

        header[0] = (byte)(0x40 | ((Ipv4.HeaderLengthMinimum + length) / 4));
        Span<byte> into = header.Slice(Ipv4.HeaderLengthMinimum, length);
        into.Clear();
        ReadOnlySpan<byte> source = header.Slice(Ipv4.SourceOffset, AddressBytes);
        if (about.Options.RecordRoute != 0)
        {
            Span<byte> option = CopyTo(ref into, about.Bytes[about.Options.RecordRoute..]);
            if (about.Options.RecordsRoute && option[2] <= option.Length)
            {
                source.CopyTo(option[(option[2] - 1)..]);
                option[2] += AddressBytes;
            }
        }

        if (about.Options.Timestamp != 0)
        {
            EchoStamps(about, space, CopyTo(ref into, about.Bytes[about.Options.Timestamp..]), source, now);
        }

        Ipv4.WriteChecksum(header);
    }

    /// <summary>
    /// Bytes of options that an answer to a packet has, or less than 0 where there is none: a record has bytes left, but not enough
    /// for the answer's own entry.
    /// </summary>
    public static int EchoedLength(Packet about)
    {
        int length = 0;
        if (about.Options.RecordRoute != 0)
        {
            ReadOnlySpan<byte> option = about.Bytes[about.Options.RecordRoute..];
            length += option[1];
            if (about.Options.RecordsRoute && option[2] <= option[1] && !HasRoom(option[..option[1]], option[2], AddressBytes))
            {
                return -1;
            }
        }

        if (about.Options.Timestamp != 0)
        {
            ReadOnlySpan<byte> option = about.Bytes[about.Options.Timestamp..];
            length += option[1];
            int needed = (about.Options.StampsAddress ? AddressBytes : 0) + (about.Options.StampsTime ? AddressBytes : 0);
            if (needed > 0 && option[2] <= option[1] && !HasRoom(option[..option[1]], option[2], needed))
            {
                return -1;
            }
        }

        return (length + 3) & ~3;
    }

    private static void EchoStamps(Packet about, NetworkNamespace space, Span<byte> option, ReadOnlySpan<byte> source, long now)
    {
        if (!about.Options.StampsTime || option[2] > option.Length)
        {
            return;
        }

        if (about.Options.StampsAddress)
        {
            source.CopyTo(option[(option[2] - 1)..]);
            option[2] += AddressBytes;
        }

        if ((option[3] & StampFlagsMask) == TimesOfNamedAddresses)
        {
            if (!HasRoom(option, option[2], 2 * AddressBytes) || !IsOurs(space, option[(option[2] - 1)..]))
            {
                return;
            }

            option[2] += AddressBytes;
        }

        WriteTime(option[(option[2] - 1)..], now);
        option[2] += AddressBytes;
    }

    private static Span<byte> CopyTo(ref Span<byte> into, ReadOnlySpan<byte> option)
    {
        Span<byte> copy = into[..option[1]];
        option[..copy.Length].CopyTo(copy);
        into = into[copy.Length..];
        return copy;
    }

    /// <summary>Checks one option, and fills it in.</summary>
    /// <returns>Offset in the option of what is wrong, or <see cref="None"/>.</returns>
    private static int CompileOne(Packet packet, NetworkNamespace space, Span<byte> header, int at, bool isLocalRoute)
    {
        Span<byte> option = header.Slice(at, header[at + 1]);
        ref Ipv4OptionMarks marks = ref packet.Options;
        switch (option[0])
        {
            case LooseSourceRoute or StrictSourceRoute:
                if (option.Length < 3 || option[2] < 4 || marks.HasSourceRoute)
                {
                    return option.Length < 3 ? 1 : option[2] < 4 ? 2 : 0;
                }

                marks.HasSourceRoute = true;
                return None;

            case RecordRoute:
                if (marks.RecordRoute != 0)
                {
                    return 0;
                }

                if (option.Length < 3 || option[2] < 4)
                {
                    return option.Length < 3 ? 1 : 2;
                }

                if (option[2] <= option.Length)
                {
                    if (!HasRoom(option, option[2], AddressBytes))
                    {
                        return 2;
                    }

                    WriteAddress(option[(option[2] - 1)..], packet, space, isLocalRoute);
                    option[2] += AddressBytes;
                    marks.RecordsRoute = true;
                }

                marks.RecordRoute = (byte)at;
                return None;

            case Timestamp:
                return CompileStamps(packet, space, option, at, isLocalRoute);

            case RouterAlert:
                return option.Length < 4 ? 1 : None;

            default:
                return None;
        }
    }

    private static int CompileStamps(Packet packet, NetworkNamespace space, Span<byte> option, int at, bool isLocalRoute)
    {
        const int Full = 15;
        ref Ipv4OptionMarks marks = ref packet.Options;
        if (marks.Timestamp != 0)
        {
            return 0;
        }

        if (option.Length < 4 || option[2] < 5)
        {
            return option.Length < 4 ? 1 : 2;
        }

        byte kind = (byte)(option[3] & StampFlagsMask);
        if (option[2] > option.Length)
        {
            if (kind != TimesOfNamedAddresses)
            {
                // There is no room: the hop is counted instead.
                int missed = option[3] >> 4;
                if (missed == Full)
                {
                    return 3;
                }

                option[3] = (byte)(kind | ((missed + 1) << 4));
                marks.IsChanged = true;
            }
        }
        else if (!HasRoom(option, option[2], kind is TimesAndAddresses or TimesOfNamedAddresses ? 2 * AddressBytes : AddressBytes))
        {
            return 2;
        }
        else if (kind == TimesOnly || (kind == TimesOfNamedAddresses && IsOurs(space, option[(option[2] - 1)..])))
        {
            option[2] += kind == TimesOnly ? (byte)0 : (byte)AddressBytes;
            Stamp(packet, option);
        }
        else if (kind == TimesAndAddresses)
        {
            WriteAddress(option[(option[2] - 1)..], packet, space, isLocalRoute);
            option[2] += AddressBytes;
            marks.StampsAddress = true;
            Stamp(packet, option);
        }

        marks.Timestamp = (byte)at;
        return None;
    }

    private static void Stamp(Packet packet, Span<byte> option)
    {
        WriteTime(option[(option[2] - 1)..], packet.Now);
        option[2] += AddressBytes;
        packet.Options.StampsTime = true;
        packet.Options.IsChanged = true;
    }

    private static void WriteAddress(Span<byte> into, Packet packet, NetworkNamespace space, bool isLocalRoute)
    {
        BinaryPrimitives.WriteUInt32BigEndian(into, isLocalRoute ? packet.Destination : SeenFrom(space, packet, packet.Source));
        packet.Options.IsChanged = true;
    }

    /// <summary>The address that somebody would see us with (fib_compute_spec_dst, ip_rt_get_source).</summary>
    private static uint SeenFrom(NetworkNamespace space, Packet packet, uint address) =>
        space.FindRoute(address) is { } route ? route.SourceAddress : packet.Input?.PrimaryAddress ?? 0;

    /// <summary>Milliseconds since midnight UTC (inet_current_timestamp).</summary>
    internal static void WriteTime(Span<byte> into, long now)
    {
        const long MillisecondsPerDay = 86_400_000;
        BinaryPrimitives.WriteUInt32BigEndian(into, (uint)(now / 1_000_000 % MillisecondsPerDay));
    }

    // A named address that is not an ordinary one of somebody else's (inet_addr_type): the kernel asks its local table alone.
    private static bool IsOurs(NetworkNamespace space, ReadOnlySpan<byte> address)
    {
        uint value = BinaryPrimitives.ReadUInt32BigEndian(address);
        return value >> 24 == 0 || value >> 28 == 0xE || space.IsLocalAddress(value) || space.IsBroadcastAddress(value);
    }

    // The pointer counts from 1; a full option's points behind its end.
    private static bool HasRoom(ReadOnlySpan<byte> option, int pointer, int bytes) => pointer - 1 + bytes <= option.Length;
}
