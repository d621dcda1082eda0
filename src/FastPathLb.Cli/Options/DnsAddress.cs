using System.Net;
using System.Net.Sockets;

namespace FastPathLb.Cli.Options;

/// <summary>The address at which names are answered.</summary>
internal static class DnsAddress
{
    /// <summary>DNS's own port.</summary>
    public const int PortDefault = 53;

    /// <summary>Reads an address with its port.</summary>
    /// <param name="option">The option's name, for the error.</param>
    /// <param name="text">What was typed.</param>
    /// <param name="port">The port where none was typed; null: one must be.</param>
    /// <exception cref="UsageException">It is no IPv4 address with a port.</exception>
    public static IPEndPoint Parse(string option, string text, int? port)
    {
        bool hasPort = text.Contains(':', StringComparison.Ordinal);
        if ((hasPort || port is not null)
            && IPEndPoint.TryParse(hasPort ? text : $"{text}:{port}", out IPEndPoint? address)
            && address.AddressFamily == AddressFamily.InterNetwork)
        {
            return address;
        }

        throw new UsageException(port is null
            ? $"{option} {text}: an IPv4 address and a port, such as 127.0.0.1:5353, is expected"
            : $"{option} {text}: an IPv4 address, such as 10.0.1.1, or one with a port, such as 127.0.0.1:5353, is expected");
    }
}
