namespace FastPathLb.Balancer.Stack;

/// <summary>Programs of a namespace that take what is delivered to their sockets.</summary>
internal interface ILocalPrograms
{
    /// <summary>Takes a TCP or UDP packet as it is after INPUT.</summary>
    Outcome Deliver(Packet packet);
}
