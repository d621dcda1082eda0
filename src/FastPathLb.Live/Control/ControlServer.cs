using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace FastPathLb.Live.Control;

/// <summary>
/// The control socket: a Unix socket that only its owner may use. A connection takes one request of one line and gives one reply of
/// one line. Served one after the other, on a thread of its own.
/// </summary>
internal sealed class ControlServer : IDisposable
{
    private const int Backlog = 16;
    private const int RequestBytesMax = 64 * 1024;
    private const int PatienceMilliseconds = 5000;

    private readonly string _path;
    private readonly ControlCommands _commands;
    private readonly ILogger _logger;
    private readonly Socket _listener;
    private readonly CancellationTokenSource _closing = new();
    private Thread? _thread;

    /// <summary>Opens the socket; one that a killed run left is replaced.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public ControlServer(string path, ControlCommands commands, ILogger logger)
    {
        _path = path;
        _commands = commands;
        _logger = logger;
        _listener = Listen(path);
    }

    public void Start()
    {
        _thread = new Thread(Serve) { IsBackground = true, Name = "control" };
        _thread.Start();
        LiveLog.ControlOpened(_logger, _path);
    }

    public void Dispose()
    {
        _closing.Cancel();
        _listener.Dispose();
        _thread?.Join(PatienceMilliseconds);
        _closing.Dispose();
        File.Delete(_path);
    }

    private static Socket Listen(string path)
    {
        Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder)
            {
                Directory.CreateDirectory(folder);
            }

            if (File.Exists(path))
            {
                if (IsServed(path))
                {
                    throw new IOException($"{path}: another load balancer has this control socket; give this one its own (--control PATH)");
                }

                File.Delete(path);
            }

            listener.Bind(new UnixDomainSocketEndPoint(path));
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }

            listener.Listen(Backlog);
            return listener;
        }
        catch (SocketException problem)
        {
            listener.Dispose();
            throw new IOException($"{path}: the control socket cannot be opened: {problem.Message}", problem);
        }
        catch
        {
            listener.Dispose();
            throw;
        }
    }

    private static bool IsServed(string path)
    {
        using Socket probe = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private void Serve()
    {
        byte[] request = new byte[RequestBytesMax];
        while (!_closing.IsCancellationRequested)
        {
            try
            {
                using Socket client = _listener.Accept();
                client.ReceiveTimeout = PatienceMilliseconds;
                client.SendTimeout = PatienceMilliseconds;
                int length = Read(client, request);
                ReadOnlyMemory<byte> reply = length < 0
                    ? ControlCommands.Refuse($"a request has at most {RequestBytesMax} bytes and ends with a line feed")
                    : _commands.Answer(request.AsMemory(0, length));
                Send(client, reply.Span);
                Send(client, "\n"u8);
            }
            catch (Exception problem) when (problem is SocketException or ObjectDisposedException)
            {
                if (!_closing.IsCancellationRequested)
                {
                    LiveLog.ControlFailed(_logger, problem.Message);
                }
            }
        }
    }

    /// <returns>Bytes up to the line feed or the end, or -1 where there are too many.</returns>
    private static int Read(Socket client, byte[] request)
    {
        int count = 0;
        while (count < request.Length)
        {
            int received = client.Receive(request.AsSpan(count));
            int end = request.AsSpan(count, received).IndexOf((byte)'\n');
            if (end >= 0)
            {
                return count + end;
            }

            count += received;
            if (received == 0)
            {
                return count;
            }
        }

        return -1;
    }

    private static void Send(Socket client, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[client.Send(bytes)..];
        }
    }
}
