using System.Net.Sockets;
using System.Text;

namespace FastPathLb.Live.Tests.Lab;

/// <summary>A client that keeps one HTTP connection and asks again and again; counts what fails.</summary>
internal sealed class KeptConnection : IDisposable
{
    private readonly Socket _socket;
    private readonly Thread _thread;
    private readonly List<string> _failures = [];
    private volatile bool _isStopping;
    private int _answers;

    public KeptConnection(SwarmLab swarm)
    {
        _socket = swarm.Connect();
        Host = Ask();
        _thread = new Thread(Run) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>The server it is with.</summary>
    public string Host { get; }

    public int Answers => Volatile.Read(ref _answers);

    /// <summary>Stops, and says what failed.</summary>
    public IReadOnlyList<string> Stop()
    {
        _isStopping = true;
        _thread.Join();
        return _failures;
    }

    public void Dispose()
    {
        _isStopping = true;
        _thread.Join();
        _socket.Dispose();
    }

    private void Run()
    {
        while (!_isStopping)
        {
            try
            {
                string host = Ask();
                if (host != Host)
                {
                    _failures.Add($"answered by {host} after {Host}");
                    return;
                }

                Interlocked.Increment(ref _answers);
            }
            catch (SocketException problem)
            {
                _failures.Add(problem.Message);
                return;
            }
        }
    }

    private string Ask()
    {
        _socket.Send("GET / HTTP/1.1\r\nHost: web\r\n\r\n"u8);
        byte[] buffer = new byte[1024];
        int count = 0;
        string text;
        do
        {
            int received = _socket.Receive(buffer.AsSpan(count));
            if (received == 0)
            {
                throw new SocketException((int)SocketError.ConnectionReset);
            }

            count += received;
            text = Encoding.ASCII.GetString(buffer, 0, count);
        }
        while (!text.Contains("RemoteAddr: ", StringComparison.Ordinal) || !text.EndsWith('\n'));
        return text.Split("Hostname: ")[1].Split('\n')[0];
    }
}
