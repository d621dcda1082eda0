namespace FastPathLb.Conntrack;

/// <summary>Direction of a packet within its connection.</summary>
public enum FlowDirection : byte
{
    /// <summary>As the connection's first packet.</summary>
    Original = 0,

    /// <summary>The other way.</summary>
    Reply = 1,
}
