using System.Buffers.Binary;
using System.Text;
using FastPathLb.Wire;

namespace FastPathLb.Discovery;

/// <summary>What a query is answered with.</summary>
/// <param name="Code">How it ended.</param>
/// <param name="Addresses">Addresses, in the order in which they are given.</param>
/// <param name="HostName">Name of the address that was asked for; null where none was.</param>
/// <param name="Reason">Where the answer comes from, for people.</param>
public sealed record DnsAnswer(DnsResponseCode Code, IReadOnlyList<Ipv4Address> Addresses, string? HostName, string Reason)
{
    /// <summary>Time for which an answer may be kept, as Docker says.</summary>
    public const int TimeToLiveSeconds = 600;

    private const ushort ResponseBit = 0x8000;
    private const ushort TruncatedBit = 0x0200;
    private const ushort RecursionDesiredBit = 0x0100;
    private const ushort RecursionAvailableBit = 0x0080;
    private const ushort InternetClass = 1;
    private const int RecordHeaderBytes = 12;
    private const int OptionsBytes = 11;

    /// <summary>A refusal: who asks should ask elsewhere.</summary>
    public static DnsAnswer Refused(string reason) => new(DnsResponseCode.Refused, [], null, reason);

    /// <summary>Writes the message.</summary>
    /// <param name="query">What is answered.</param>
    /// <param name="message">Where to; <see cref="DnsQuery.AnswerBytesMax"/> bytes are enough.</param>
    /// <returns>Its length.</returns>
    public int WriteTo(DnsQuery query, Span<byte> message)
    {
        message = message[..Math.Min(message.Length, query.AnswerBytes)];
        int room = message.Length - (query.HasOptions ? OptionsBytes : 0);
        message[..DnsQuery.HeaderBytes].Clear();
        query.Question.Span.CopyTo(message[DnsQuery.HeaderBytes..]);
        int length = DnsQuery.HeaderBytes + query.Question.Length;
        int count = 0;
        bool isWhole = true;
        foreach (Ipv4Address address in Addresses)
        {
            isWhole = length + RecordHeaderBytes + Ipv4Address.LengthBytes <= room;
            if (!isWhole)
            {
                break;
            }

            WriteRecordHeader(message[length..], DnsRecordType.A, Ipv4Address.LengthBytes);
            address.WriteTo(message[(length + RecordHeaderBytes)..]);
            length += RecordHeaderBytes + Ipv4Address.LengthBytes;
            count++;
        }

        if (HostName is not null)
        {
            byte[] name = NameBytes(HostName);
            isWhole = length + RecordHeaderBytes + name.Length <= room;
            if (isWhole)
            {
                WriteRecordHeader(message[length..], DnsRecordType.Ptr, name.Length);
                name.CopyTo(message[(length + RecordHeaderBytes)..]);
                length += RecordHeaderBytes + name.Length;
                count++;
            }
        }

        int flags = ResponseBit | RecursionAvailableBit | (query.Flags & RecursionDesiredBit) | (isWhole ? 0 : TruncatedBit) | (int)Code;
        BinaryPrimitives.WriteUInt16BigEndian(message, query.Id);
        BinaryPrimitives.WriteUInt16BigEndian(message[2..], (ushort)flags);
        BinaryPrimitives.WriteUInt16BigEndian(message[4..], (ushort)(query.Question.Length > 0 ? 1 : 0));
        BinaryPrimitives.WriteUInt16BigEndian(message[6..], (ushort)count);
        if (query.HasOptions)
        {
            BinaryPrimitives.WriteUInt16BigEndian(message[10..], 1);
            message.Slice(length, OptionsBytes).Clear();
            BinaryPrimitives.WriteUInt16BigEndian(message[(length + 1)..], (ushort)DnsRecordType.Opt);
            BinaryPrimitives.WriteUInt16BigEndian(message[(length + 3)..], DnsQuery.AnswerBytesMax);
            length += OptionsBytes;
        }

        return length;
    }

    // The record's name points back to the question's.
    private static void WriteRecordHeader(Span<byte> record, DnsRecordType type, int dataBytes)
    {
        const ushort PointerToQuestion = 0xC000 | DnsQuery.HeaderBytes;
        BinaryPrimitives.WriteUInt16BigEndian(record, PointerToQuestion);
        BinaryPrimitives.WriteUInt16BigEndian(record[2..], (ushort)type);
        BinaryPrimitives.WriteUInt16BigEndian(record[4..], InternetClass);
        BinaryPrimitives.WriteUInt32BigEndian(record[6..], TimeToLiveSeconds);
        BinaryPrimitives.WriteUInt16BigEndian(record[10..], (ushort)dataBytes);
    }

    private static byte[] NameBytes(string name)
    {
        List<byte> bytes = [];
        foreach (string label in name.Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            byte[] text = Encoding.Latin1.GetBytes(label);
            bytes.Add((byte)text.Length);
            bytes.AddRange(text);
        }

        bytes.Add(0);
        return [.. bytes];
    }
}
