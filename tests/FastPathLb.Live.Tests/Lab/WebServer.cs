using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace FastPathLb.Live.Tests.Lab;

/// <summary>
/// A web server in a namespace that says who it is and whom it sees, as the containers of the documents do. <c>/bytes/N</c> sends N bytes
/// whose values tell their places.
/// </summary>
internal sealed class WebServer : IDisposable
{
    private readonly string _name;
    private readonly Socket _listener;

    public WebServer(NetworkLab lab, string namespaceName, string name, int port = 80)
    {
        _name = name;
        _listener = lab.Within(namespaceName, () =>
        {
            Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(new IPEndPoint(IPAddress.Any, port));
            socket.Listen(1024);
            return socket;
        });
        _ = Task.Run(Serve);
    }

    /// <summary>Requests answered.</summary>
    public int Answered => _answered;

    private int _answered;

    /// <summary>The bytes of <c>/bytes/N</c>.</summary>
    public static byte[] Pattern(int count)
    {
        byte[] bytes = new byte[count];
        for (int index = 0; index < count; index++)
        {
            bytes[index] = (byte)((index * 31) + (index >> 8));
        }

        return bytes;
    }

    public void Dispose() => _listener.Dispose();

    private async Task Serve()
    {
        while (true)
        {
            try
            {
                Socket client = await _listener.AcceptAsync();
                _ = Task.Run(() => Serve(client));
            }
            catch (Exception problem) when (problem is ObjectDisposedException or SocketException)
            {
                return;
            }
        }
    }

    private async Task Serve(Socket client)
    {
        using Socket closing = client;
        client.NoDelay = true;
        byte[] buffer = new byte[8192];
        int count = 0;
        try
        {
            while (true)
            {
                int end;
                while ((end = buffer.AsSpan(0, count).IndexOf("\r\n\r\n"u8)) < 0)
                {
                    int received = await client.ReceiveAsync(buffer.AsMemory(count));
                    if (received == 0)
                    {
                        return;
                    }

                    count += received;
                }

                string request = Encoding.ASCII.GetString(buffer, 0, end);
                buffer.AsSpan(end + 4, count - end - 4).CopyTo(buffer);
                count -= end + 4;
                bool closes = request.Contains("Connection: close", StringComparison.OrdinalIgnoreCase);
                await Answer(client, request, closes);
                Interlocked.Increment(ref _answered);
                if (closes)
                {
                    client.Shutdown(SocketShutdown.Send);
                    while (await client.ReceiveAsync(buffer) > 0)
                    {
                    }

                    return;
                }
            }
        }
        catch (SocketException)
        {
            // The client is gone.
        }
    }

    private async Task Answer(Socket client, string request, bool closes)
    {
        const string Prefix = "/bytes/";
        string path = request.Split(' ')[1];
        byte[] body = path.StartsWith(Prefix, StringComparison.Ordinal)
            ? Pattern(int.Parse(path.AsSpan(Prefix.Length), CultureInfo.InvariantCulture))
            : Encoding.ASCII.GetBytes($"Hostname: {_name}\nRemoteAddr: {((IPEndPoint)client.RemoteEndPoint!).Address}\n");
        string head = $"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n{(closes ? "Connection: close\r\n" : "")}\r\n";
        byte[] reply = [.. Encoding.ASCII.GetBytes(head), .. body];
        int sent = 0;
        while (sent < reply.Length)
        {
            sent += await client.SendAsync(reply.AsMemory(sent));
        }
    }
}
