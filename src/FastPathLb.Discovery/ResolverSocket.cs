using System.Net;
using System.Net.Sockets;

namespace FastPathLb.Discovery;

/// <summary>Answers queries on a UDP address until it is told to stop. Owned by one thread.</summary>
public sealed class ResolverSocket : IDisposable
{
    private readonly Func<EmbeddedResolver> _names;
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);

    /// <summary>Takes the address.</summary>
    /// <exception cref="IOException">It cannot be had.</exception>
    public ResolverSocket(EmbeddedResolver resolver, IPEndPoint address)
        : this(() => resolver, address)
    {
    }

    /// <summary>Takes the address, for names that may change.</summary>
    /// <param name="names">What answers the next query; asked on the thread that answers.</param>
    /// <param name="address">The address; port 0 is any that is free.</param>
    /// <exception cref="IOException">It cannot be had.</exception>
    public ResolverSocket(Func<EmbeddedResolver> names, IPEndPoint address)
    {
        _names = names;
        try
        {
            _socket.Bind(address);
        }
        catch (SocketException exception)
        {
            _socket.Dispose();
            throw new IOException($"{address}: {exception.Message}", exception);
        }
    }

    /// <summary>The address, with the port that was taken where any was asked for.</summary>
    public IPEndPoint Address => (IPEndPoint)_socket.LocalEndPoint!;

    /// <summary>Queries answered.</summary>
    public long AnswerCount { get; private set; }

    /// <summary>Answers until stopped.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        byte[] query = new byte[DnsQuery.AnswerBytesMax];
        byte[] answer = new byte[DnsQuery.AnswerBytesMax];
        EndPoint any = new IPEndPoint(IPAddress.Any, 0);
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                SocketReceiveFromResult received =
                    await _socket.ReceiveFromAsync(query, SocketFlags.None, any, stopping).ConfigureAwait(false);
                int length = _names().Answer(query.AsSpan(0, received.ReceivedBytes), answer);
                if (length > 0)
                {
                    AnswerCount++;
                    await _socket.SendToAsync(answer.AsMemory(0, length), SocketFlags.None, received.RemoteEndPoint, stopping)
                        .ConfigureAwait(false);
                }
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (SocketException)
            {
                // One client's trouble (it is gone, its query is too long) is none of the others'.
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();
}
