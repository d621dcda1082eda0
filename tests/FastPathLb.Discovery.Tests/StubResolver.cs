using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace FastPathLb.Discovery.Tests;

/// <summary>A client's resolver, written for the tests alone: it makes queries and reads answers by RFC 1035.</summary>
internal static class StubResolver
{
    public static byte[] Query(string name, ushort type, ushort id = 0x1234, int? payloadMax = null)
    {
        List<byte> message = [(byte)(id >> 8), (byte)id, 1, 0, 0, 1, 0, 0, 0, 0, 0, (byte)(payloadMax is null ? 0 : 1)];
        foreach (string label in name.Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            message.Add((byte)label.Length);
            message.AddRange(Encoding.ASCII.GetBytes(label));
        }

        message.AddRange([0, (byte)(type >> 8), (byte)type, 0, 1]);
        if (payloadMax is { } size)
        {
            message.AddRange([0, 0, 41, (byte)(size >> 8), (byte)size, 0, 0, 0, 0, 0, 0]);
        }

        return [.. message];
    }

    public static Reply Read(byte[] message)
    {
        int offset = 12;
        ushort questions = At(4);
        for (int index = 0; index < questions; index++)
        {
            Name(ref offset);
            offset += 4;
        }

        List<string> records = [];
        List<uint> lives = [];
        for (int index = 0; index < At(6); index++)
        {
            string name = Name(ref offset);
            ushort type = At(offset);
            Assert.Equal(1, At(offset + 2));
            lives.Add(BinaryPrimitives.ReadUInt32BigEndian(message.AsSpan(offset + 4)));
            int length = At(offset + 8);
            int data = offset + 10;
            offset = data + length;
            records.Add(type == 1 ? $"{name} A {new IPAddress(message.AsSpan(data, 4))}" : $"{name} PTR {Name(ref data)}");
        }

        int additional = At(10);
        for (int index = 0; index < additional; index++)
        {
            Name(ref offset);
            Assert.Equal(41, At(offset));
            offset += 10 + At(offset + 8);
        }

        Assert.Equal(message.Length, offset);
        return new Reply(At(0), At(2), records, lives, additional);

        ushort At(int place) => BinaryPrimitives.ReadUInt16BigEndian(message.AsSpan(place));

        string Name(ref int place)
        {
            List<string> labels = [];
            int? after = null;
            while (message[place] != 0)
            {
                if (message[place] >= 0xC0)
                {
                    after ??= place + 2;
                    place = At(place) & 0x3FFF;
                    continue;
                }

                labels.Add(Encoding.ASCII.GetString(message, place + 1, message[place]));
                place += 1 + message[place];
            }

            place = after ?? place + 1;
            return string.Join('.', labels);
        }
    }

    public static async Task<Reply> AskAsync(IPEndPoint server, byte[] query)
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(20));
        byte[] answer = new byte[4096];
        await socket.ConnectAsync(server, patience.Token);
        await socket.SendAsync(query, patience.Token);
        int length = await socket.ReceiveAsync(answer, patience.Token);
        return Read(answer[..length]);
    }
}

internal sealed record Reply(ushort Id, ushort Flags, IReadOnlyList<string> Records, IReadOnlyList<uint> Lives, int Additional)
{
    public int Code => Flags & 15;

    public bool IsTruncated => (Flags & 0x0200) != 0;
}
