using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>One line of <c>bridge fdb</c>.</summary>
/// <param name="Mac">Ethernet address.</param>
/// <param name="Device">Device it is reached by.</param>
/// <param name="Destination">Underlay address of the VTEP behind it, on a VXLAN device.</param>
/// <param name="Vni">Network identifier, where it differs from the device's.</param>
/// <param name="IsPermanent">Whether it never expires.</param>
/// <param name="IsSelf">Whether it is the device's own table, not its bridge's.</param>
/// <param name="Master">Bridge whose table it stands in; empty in a command, where it is the device's own bridge.</param>
public sealed record FdbEntryState(
    MacAddress Mac,
    string Device,
    Ipv4Address? Destination,
    uint? Vni,
    bool IsPermanent,
    bool IsSelf,
    string? Master);
