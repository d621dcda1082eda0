namespace FastPathLb.Wire;

/// <summary>What an ARP packet does (RFC 826).</summary>
public enum ArpOperation : ushort
{
    /// <summary>Not a packet.</summary>
    None = 0,

    /// <summary>Asks who has the target address.</summary>
    Request = 1,

    /// <summary>Says where the sender address is.</summary>
    Reply = 2,
}
