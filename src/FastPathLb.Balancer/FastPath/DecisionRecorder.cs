using FastPathLb.Balancer.Netfilter;

namespace FastPathLb.Balancer.FastPath;

/// <summary>
/// What was counted while a packet took the general path: which rules and policies it met, and whether its sender was to be
/// redirected. Belongs to a <see cref="Packet"/>, used again for each.
/// </summary>
internal sealed class DecisionRecorder
{
    /// <summary>Most rules and policies that are noted of a packet.</summary>
    public const int CountersMax = 24;

    private readonly Slot[] _counters = new Slot[CountersMax];
    private int _count;

    /// <summary>A counter. In a structure, since an array of references checks types with every store.</summary>
    internal readonly struct Slot(ITrafficCounter counter)
    {
        public ITrafficCounter Counter { get; } = counter;
    }

    /// <summary>Whether a packet met more rules than are noted.</summary>
    public bool IsIncomplete { get; private set; }

    /// <summary>Whether the packet's sender was to be told of a better way.</summary>
    public bool HasRedirect { get; private set; }

    /// <summary>Whether a rule was asked that looks at who sends, so that another sender's packet may be decided otherwise.</summary>
    public bool HasLookedAtSource { get; private set; }

    /// <summary>Whether a rule of the nat table decided where the packet goes.</summary>
    public bool HasDestinationRule { get; private set; }

    /// <summary>The rule of the nat table that translated a first packet's source, or null.</summary>
    public PacketRule? SourceRule { get; private set; }

    /// <summary>Who was to be told.</summary>
    public uint Redirected { get; private set; }

    /// <summary>What was counted, in order.</summary>
    public ReadOnlySpan<Slot> Counters => _counters.AsSpan(0, _count);

    /// <summary>Forgets.</summary>
    public void Clear()
    {
        _count = 0;
        IsIncomplete = false;
        HasRedirect = false;
        HasLookedAtSource = false;
        HasDestinationRule = false;
        if (SourceRule is not null)
        {
            // Not for nothing: a reference that is stored costs a barrier.
            SourceRule = null;
        }
    }

    /// <summary>Notes that a rule was asked that looks at the source.</summary>
    public void LookAtSource() => HasLookedAtSource = true;

    /// <summary>Notes the rule by which a first packet was translated.</summary>
    public void Bind(bool isSource, PacketRule rule)
    {
        if (isSource)
        {
            SourceRule = rule;
        }
        else
        {
            HasDestinationRule = true;
        }
    }

    /// <summary>Notes a rule or policy that counted the packet.</summary>
    public void Count(ITrafficCounter counter)
    {
        if (_count == CountersMax)
        {
            IsIncomplete = true;
            return;
        }

        _counters[_count++] = new Slot(counter);
    }

    /// <summary>Notes that the sender was to be redirected.</summary>
    public void CountRedirect(uint source)
    {
        HasRedirect = true;
        Redirected = source;
    }
}
