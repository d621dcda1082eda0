using System.Runtime.CompilerServices;

namespace FastPathLb.Wire;

/// <summary>Where the bytes of eight frames lie, each as a distance in bytes from one origin: see <see cref="WordLanes"/>.</summary>
[InlineArray(WordLanes.Count)]
public struct LaneOffsets
{
    private nint _first;
}
