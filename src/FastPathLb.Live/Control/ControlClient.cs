using System.Net.Sockets;

namespace FastPathLb.Live.Control;

/// <summary>Asks a running load balancer at its control socket.</summary>
public static class ControlClient
{
    /// <summary>Folder of control sockets where none is named.</summary>
    public const string Folder = "/run/fastpathlb";

    private const int PatienceMilliseconds = 15_000;

    /// <summary>The control socket of a device's load balancer where none is named.</summary>
    public static string PathOf(string device) => Path.Combine(Folder, $"{device}.sock");

    /// <summary>The only control socket there is.</summary>
    /// <exception cref="IOException">There is none, or more than one.</exception>
    public static string FindOnly()
    {
        string[] found = Directory.Exists(Folder) ? Directory.GetFiles(Folder, "*.sock") : [];
        return found.Length switch
        {
            1 => found[0],
            0 => throw new IOException($"{Folder}: no control socket there; is 'fastpathlb run' running? --socket PATH names another place"),
            _ => throw new IOException($"{Folder}: several load balancers run; --socket PATH says which: {string.Join(' ', found)}"),
        };
    }

    /// <summary>Asks.</summary>
    /// <param name="path">The control socket.</param>
    /// <param name="request">One JSON object without line feeds.</param>
    /// <returns>The reply, one JSON object.</returns>
    /// <exception cref="IOException">Nobody answers.</exception>
    public static byte[] Ask(string path, ReadOnlySpan<byte> request)
    {
        try
        {
            using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.ReceiveTimeout = PatienceMilliseconds;
            socket.Connect(new UnixDomainSocketEndPoint(path));
            socket.Send(request);
            socket.Send("\n"u8);
            using MemoryStream reply = new();
            byte[] chunk = new byte[16 * 1024];
            int received;
            while ((received = socket.Receive(chunk)) > 0)
            {
                reply.Write(chunk, 0, received);
            }

            return reply.ToArray();
        }
        catch (SocketException problem)
        {
            throw new IOException($"{path}: nobody answers at this control socket: {problem.Message}", problem);
        }
    }
}
