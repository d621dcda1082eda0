using System.Buffers.Binary;
using System.Text;

namespace FastPathLb.Discovery;

/// <summary>A DNS query as it stands on the wire (RFC 1035, section 4; RFC 6891).</summary>
/// <remarks>
/// <code>
/// | ID 2 | flags 2 | questions 2 | answers 2 | authorities 2 | additional 2 | question: labels, type 2, class 2 | ... OPT
/// </code>
/// </remarks>
public sealed class DnsQuery
{
    /// <summary>Bytes of the header.</summary>
    public const int HeaderBytes = 12;

    /// <summary>Longest answer over UDP unless the query asks for more.</summary>
    public const int AnswerBytesDefault = 512;

    /// <summary>Longest answer over UDP that is given at all.</summary>
    public const int AnswerBytesMax = 4096;

    /// <summary>Longest name on the wire.</summary>
    public const int NameBytesMax = 255;

    private const ushort ResponseBit = 0x8000;
    private const ushort OperationMask = 0x7800;
    private const ushort InternetClass = 1;
    private const int LabelBytesMax = 63;

    private DnsQuery(ushort id, ushort flags, DnsResponseCode problem)
    {
        Id = id;
        Flags = flags;
        Problem = problem;
    }

    /// <summary>Number that the answer repeats.</summary>
    public ushort Id { get; }

    /// <summary>Flags as sent.</summary>
    public ushort Flags { get; }

    /// <summary>Why the query cannot be answered, or <see cref="DnsResponseCode.NoError"/>.</summary>
    public DnsResponseCode Problem { get; private init; }

    /// <summary>The name asked for, without the dot at its end.</summary>
    public string Name { get; private init; } = "";

    /// <summary>The type asked for.</summary>
    public DnsRecordType Type { get; private init; }

    /// <summary>The question as it stands, which the answer repeats.</summary>
    public ReadOnlyMemory<byte> Question { get; private init; }

    /// <summary>Whether the query has an OPT record, which the answer then has too.</summary>
    public bool HasOptions { get; private init; }

    /// <summary>Longest answer that the client takes.</summary>
    public int AnswerBytes { get; private init; } = AnswerBytesDefault;

    /// <summary>Reads a message.</summary>
    /// <returns>Null for what is no query, and is not to be answered; else a query, perhaps with a <see cref="Problem"/>.</returns>
    public static DnsQuery? Read(ReadOnlySpan<byte> message)
    {
        if (message.Length < HeaderBytes)
        {
            return null;
        }

        ushort id = BinaryPrimitives.ReadUInt16BigEndian(message);
        ushort flags = BinaryPrimitives.ReadUInt16BigEndian(message[2..]);
        if ((flags & ResponseBit) != 0)
        {
            return null;
        }

        if ((flags & OperationMask) != 0)
        {
            return new DnsQuery(id, flags, DnsResponseCode.NotImplemented);
        }

        int offset = HeaderBytes;
        if (BinaryPrimitives.ReadUInt16BigEndian(message[4..]) != 1
            || !TryReadName(message, ref offset, out string name)
            || message.Length < offset + 4)
        {
            return new DnsQuery(id, flags, DnsResponseCode.FormatError);
        }

        ushort type = BinaryPrimitives.ReadUInt16BigEndian(message[offset..]);
        bool isInternet = BinaryPrimitives.ReadUInt16BigEndian(message[(offset + 2)..]) == InternetClass;
        offset += 4;
        bool hasOptions = TryReadOptions(message, offset, out int answerBytes);
        return new DnsQuery(id, flags, isInternet ? DnsResponseCode.NoError : DnsResponseCode.NotImplemented)
        {
            Name = name,
            Type = (DnsRecordType)type,
            Question = message[HeaderBytes..offset].ToArray(),
            HasOptions = hasOptions,
            AnswerBytes = answerBytes,
        };
    }

    // A question comes first in its message, so nothing stands before it that a compressed name could point to.
    private static bool TryReadName(ReadOnlySpan<byte> message, ref int offset, out string name)
    {
        name = "";
        StringBuilder text = new();
        int start = offset;
        while (offset < message.Length)
        {
            int length = message[offset++];
            if (length == 0)
            {
                name = text.ToString();
                return offset - start <= NameBytesMax;
            }

            if (length > LabelBytesMax || offset + length > message.Length)
            {
                return false;
            }

            text.Append(text.Length > 0 ? "." : "").Append(Encoding.Latin1.GetString(message.Slice(offset, length)));
            offset += length;
        }

        return false;
    }

    private static bool TryReadOptions(ReadOnlySpan<byte> message, int offset, out int answerBytes)
    {
        const int OptionsBytes = 11;
        answerBytes = AnswerBytesDefault;
        bool hasRecordsBefore = BinaryPrimitives.ReadUInt32BigEndian(message[6..]) != 0;
        if (hasRecordsBefore
            || BinaryPrimitives.ReadUInt16BigEndian(message[10..]) == 0
            || message.Length < offset + OptionsBytes
            || message[offset] != 0
            || BinaryPrimitives.ReadUInt16BigEndian(message[(offset + 1)..]) != (ushort)DnsRecordType.Opt)
        {
            return false;
        }

        answerBytes = Math.Clamp((int)BinaryPrimitives.ReadUInt16BigEndian(message[(offset + 3)..]), AnswerBytesDefault, AnswerBytesMax);
        return true;
    }
}
