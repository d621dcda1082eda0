using System.Net;
using FastPathLb.Discovery;
using FastPathLb.NodeState;
using Microsoft.Extensions.Logging;
using NodeDump = FastPathLb.NodeState.NodeState;

namespace FastPathLb.Cli.Running;

/// <summary>
/// Answers names while a load balancer runs, as Docker's embedded resolver would: those of the state in force, so that a reload changes
/// them too. It is a socket of the kernel's, in the namespace that the program runs in, and no part of the data path.
/// </summary>
internal sealed partial class LiveResolver : IDisposable
{
    private readonly ResolverSocket _socket;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private Func<NodeDump> _current;
    private NodeDump _known;
    private EmbeddedResolver _names;
    private Task _answering = Task.CompletedTask;

    /// <summary>Takes the address.</summary>
    /// <param name="address">Where to answer.</param>
    /// <param name="node">The state, for its names.</param>
    /// <param name="loggers">Where it tells what it does.</param>
    /// <exception cref="IOException">The address cannot be had.</exception>
    /// <exception cref="NodeStateException">The state has no names.</exception>
    public LiveResolver(IPEndPoint address, NodeDump node, ILoggerFactory loggers)
    {
        _logger = loggers.CreateLogger("fastpathlb");
        _current = () => node;
        _known = node;
        _names = new EmbeddedResolver(node, seed: Random.Shared.Next());
        _socket = new ResolverSocket(Names, address);
    }

    /// <summary>Answers until it is disposed of.</summary>
    /// <param name="current">Tells the state in force. Any thread.</param>
    public void Start(Func<NodeDump> current)
    {
        _current = current;
        Opened(_logger, string.Join(", ", _names.Networks), _socket.Address);
        _answering = _socket.RunAsync(_stop.Token);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Cancel();
        _answering.GetAwaiter().GetResult();
        _socket.Dispose();
        _stop.Dispose();
    }

    // Asked before each answer, and made anew where the state is another one.
    private EmbeddedResolver Names()
    {
        NodeDump current = _current();
        if (!ReferenceEquals(current, _known))
        {
            _known = current;
            try
            {
                _names = new EmbeddedResolver(current, seed: Random.Shared.Next());
            }
            catch (NodeStateException problem)
            {
                Kept(_logger, problem.Message);
            }
        }

        return _names;
    }

    [LoggerMessage(30, LogLevel.Information, "Names of network {Networks} are answered at {Address}")]
    private static partial void Opened(ILogger logger, string networks, IPEndPoint address);

    [LoggerMessage(31, LogLevel.Warning, "Names stay as they were: {Problem}")]
    private static partial void Kept(ILogger logger, string problem);
}
