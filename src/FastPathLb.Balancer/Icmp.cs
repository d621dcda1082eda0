using FastPathLb.Wire;

namespace FastPathLb.Balancer;

/// <summary>What kinds of ICMP messages there are, and codes in use.</summary>
internal static class Icmp
{
    public const int HeaderBytes = 8;
    public const int ChecksumOffset = 2;
    public const byte HighestType = 18;

    /// <summary>Information request and reply, obsolete (RFC 792) but known to conntrack.</summary>
    public const IcmpType InformationRequest = (IcmpType)15;
    public const IcmpType InformationReply = (IcmpType)16;

    public const byte NetworkUnreachable = 0;
    public const byte HostUnreachable = 1;
    public const byte ProtocolUnreachable = 2;
    public const byte PortUnreachable = 3;
    public const byte FragmentationNeeded = 4;
    public const byte TimeToLiveExceeded = 0;
    public const byte ReassemblyTimeExceeded = 1;
    public const byte RedirectHost = 1;

    /// <summary>Errors quote the packet they are about (icmp_pointers[].error).</summary>
    public static bool IsError(IcmpType type) => type is IcmpType.DestinationUnreachable or IcmpType.SourceQuench
        or IcmpType.Redirect or IcmpType.TimeExceeded or IcmpType.ParameterProblem;

    /// <summary>The errors that IPVS translates.</summary>
    public static bool IsBalancedError(IcmpType type) => type is IcmpType.DestinationUnreachable or IcmpType.SourceQuench
        or IcmpType.TimeExceeded;

    /// <summary>Messages with an identifier: requests and their replies.</summary>
    public static bool IsQuery(IcmpType type) => type is IcmpType.Echo or IcmpType.EchoReply
        or IcmpType.Timestamp or IcmpType.TimestampReply or InformationRequest or InformationReply
        or IcmpType.AddressMask or IcmpType.AddressMaskReply;

    /// <summary>Requests: what a connection of ICMP can begin with.</summary>
    public static bool IsRequest(IcmpType type) => type is IcmpType.Echo or IcmpType.Timestamp
        or InformationRequest or IcmpType.AddressMask;

    /// <summary>The type that answers a request, or asks for a reply (nf_conntrack's invmap).</summary>
    public static IcmpType Counterpart(IcmpType type) => type switch
    {
        IcmpType.Echo => IcmpType.EchoReply,
        IcmpType.EchoReply => IcmpType.Echo,
        IcmpType.Timestamp => IcmpType.TimestampReply,
        IcmpType.TimestampReply => IcmpType.Timestamp,
        InformationRequest => InformationReply,
        InformationReply => InformationRequest,
        IcmpType.AddressMask => IcmpType.AddressMaskReply,
        IcmpType.AddressMaskReply => IcmpType.AddressMask,
        _ => type,
    };
}
