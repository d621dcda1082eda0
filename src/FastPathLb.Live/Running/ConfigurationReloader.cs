using FastPathLb.Engine.Building;
using FastPathLb.NodeState;
using Microsoft.Extensions.Logging;
using NodeDump = FastPathLb.NodeState.NodeState;

namespace FastPathLb.Live.Running;

/// <summary>
/// Reads the configuration anew and has the worker swap it in between two batches. All that can be wrong with it is found before, on
/// the caller's thread, by building a small load balancer from it: then nothing was changed.
/// </summary>
public sealed class ConfigurationReloader : IDisposable
{
    private const int WatchMilliseconds = 300;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    private readonly LiveOptions _options;
    private readonly LiveMembers _members;
    private readonly CommonDuties _duties;
    private readonly WorkerMailbox _mailbox;
    private readonly LiveClock _clock;
    private readonly ILogger _logger;
    private readonly Lock _reloading = new();
    private NodeDump _current;
    private Timer? _timer;
    private long _loadedStamp;
    private long _seenStamp;

    internal ConfigurationReloader(
        LiveOptions options, NodeDump node, LiveMembers members, CommonDuties duties, WorkerMailbox mailbox, LiveClock clock,
        ILogger logger)
    {
        _options = options;
        _current = node;
        _members = members;
        _duties = duties;
        _mailbox = mailbox;
        _clock = clock;
        _logger = logger;
        _loadedStamp = options.Source.Stamp();
    }

    /// <summary>The state in force, for names of services.</summary>
    public NodeDump Current => Volatile.Read(ref _current);

    /// <summary>Reloads when the files change: once they have been the same for two looks, so that no half-written one is read.</summary>
    public void Watch()
    {
        _seenStamp = _loadedStamp;
        _timer = new Timer(_ => Look(), null, WatchMilliseconds, WatchMilliseconds);
    }

    /// <summary>Reads the configuration again and swaps it in.</summary>
    /// <param name="problem">Why it was refused, or null.</param>
    /// <returns>What changed, or null where it was refused.</returns>
    public string? Reload(out string? problem)
    {
        lock (_reloading)
        {
            _loadedStamp = _options.Source.Stamp();
            List<BuiltLoadBalancer> shadows = [];
            try
            {
                NodeDump next = _options.Source.Load();
                LoadBalancerOptions trial = _options.Balancer with { Capacity = TrialCapacity };
                foreach (BuiltLoadBalancer _ in _members.All)
                {
                    // One for each worker: rules that are taken over from it count.
                    shadows.Add(LiveBuilder.Build(next, trial));
                }

                NodeDump wanted = LiveBuilder.WithoutGuesses(next, trial.AttachPoint);
                Reconfiguration[] plans =
                    [.. _members.All.Zip(shadows, (member, shadow) => Reconfiguration.Plan(member, shadow, wanted, trial))];
                NodeDump previous = LiveBuilder.WithoutGuesses(_current, trial.AttachPoint);
                string changes = _mailbox.Ask(() => Apply(plans, previous), s_patience);
                Volatile.Write(ref _current, next);
                if (plans[0].ChangesAddresses)
                {
                    _mailbox.Post(_duties.Announce);
                }

                foreach (string warning in shadows[0].Warnings)
                {
                    LiveLog.Warning(_logger, warning);
                }

                LiveLog.Reloaded(_logger, next.Origin, changes);
                problem = null;
                return changes;
            }
            catch (Exception refusal) when (refusal is NodeStateException or IOException or UnauthorizedAccessException
                or ArgumentException or TimeoutException)
            {
                problem = refusal.Message.ReplaceLineEndings(" ");
                LiveLog.ReloadRefused(_logger, problem);
                return null;
            }
            finally
            {
                shadows.ForEach(shadow => shadow.Dispose());
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _timer?.Dispose();

    private const int TrialCapacity = 16;

    private string Apply(Reconfiguration[] plans, NodeDump previous)
    {
        long now = _clock.Read();
        return _members.Change((_, number) => plans[number].Apply(previous, now)) ?? string.Empty;
    }

    private void Look()
    {
        long stamp = _options.Source.Stamp();
        bool isSettled = stamp == _seenStamp;
        _seenStamp = stamp;
        if (isSettled && stamp != 0 && stamp != _loadedStamp)
        {
            _ = Reload(out _);
        }
    }
}
