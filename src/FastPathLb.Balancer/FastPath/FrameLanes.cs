using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.FastPath;

/// <summary>
/// Headers of eight frames, side by side: lane <c>i</c> is frame <c>i</c>'s. Read once, when the frames are recognised, and kept
/// for the writer. Words are as they lie on the wire where nothing else is said.
/// </summary>
internal struct FrameLanes
{
    /// <summary>Groups of eight frames that are kept: as many as are read before the first of them is decided.</summary>
    public const int GroupsMax = EstablishedPath.FramesAtOnceMax / WordLanes.Count;

    /// <summary>Offsets in the arena of the IPv4 headers.</summary>
    public LaneOffsets Starts;

    /// <summary>First word of the IPv4 header: version, type of service, total length.</summary>
    public Vector256<uint> Begin;

    /// <summary>Third word: time to live, protocol, checksum.</summary>
    public Vector256<uint> Life;

    /// <summary>Ports.</summary>
    public Vector256<uint> Ports;

    /// <summary>The word behind them: TCP's sequence number, UDP's length and checksum.</summary>
    public Vector256<uint> Sequence;

    /// <summary>TCP: offset, flags, window.</summary>
    public Vector256<uint> Control;

    /// <summary>Halves of both addresses added up.</summary>
    public Vector256<uint> AddressSum;

    /// <summary>First word of the outer IPv4 header, where there is one.</summary>
    public Vector256<uint> OuterBegin;

    /// <summary>Second word of the outer UDP header, where there is one: length, checksum.</summary>
    public Vector256<uint> OuterUdp;

    /// <summary>Not zero where the general path must look.</summary>
    public Vector256<uint> Odd;

    /// <summary>The transport checksum in the lower half.</summary>
    public Vector256<uint> TransportChecksum;

    /// <summary>All bits set where the packet is UDP.</summary>
    public Vector256<uint> IsUdp;

    /// <summary>Kinds in the lowest byte, IPv4 total lengths in the upper half: what <see cref="FrameShape.Kind"/> and those behind it hold.</summary>
    public Vector256<uint> Kinds;

    /// <summary>The group that a frame belongs to.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int GroupOf(int frame) => (frame / WordLanes.Count) & (GroupsMax - 1);
}
