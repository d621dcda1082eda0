namespace FastPathLb.Balancer.Netfilter;

/// <summary>Netfilter's hooks, numbered as in the kernel.</summary>
public enum HookPoint : byte
{
    /// <summary>PREROUTING.</summary>
    PreRouting = 0,

    /// <summary>INPUT.</summary>
    LocalIn = 1,

    /// <summary>FORWARD.</summary>
    Forward = 2,

    /// <summary>OUTPUT.</summary>
    LocalOut = 3,

    /// <summary>POSTROUTING.</summary>
    PostRouting = 4,
}
