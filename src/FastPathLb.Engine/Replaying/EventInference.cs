using System.Globalization;
using FastPathLb.NodeState;
using FastPathLb.Wire;

namespace FastPathLb.Engine.Replaying;

/// <summary>
/// Addresses come and go between two looks at them, so that their recorded times are late. What the load balancer sent tells
/// better: it speaks for an address that it has, and asks for one that it has not.
/// </summary>
public static class EventInference
{
    /// <summary>How much later than the change its recorded time can be, in nanoseconds.</summary>
    public const long LatenessMax = 3_000_000_000;

    /// <summary>Moves changes of addresses to where the recording shows that they happened.</summary>
    /// <param name="events">The events as recorded.</param>
    /// <param name="hints">What the recording tells.</param>
    /// <param name="notes">Takes a sentence for each event that was moved.</param>
    public static IReadOnlyList<NodeEvent> Refine(IReadOnlyList<NodeEvent> events, RecordingHints hints, ICollection<string> notes)
    {
        List<NodeEvent> refined = [];
        foreach (NodeEvent item in events)
        {
            NodeEvent moved = item.Command switch
            {
                AddressAdd add => Move(item, add.Address.Address, isOwned: true, hints),
                AddressDelete delete => Move(item, delete.Address.Address, isOwned: false, hints),
                _ => item,
            };
            if (moved.TimestampNanoseconds != item.TimestampNanoseconds)
            {
                double seconds = (item.TimestampNanoseconds - moved.TimestampNanoseconds) / 1e9;
                notes.Add(string.Create(
                    CultureInfo.InvariantCulture,
                    $"event in line {item.Line} happened {seconds:0.000} s before its recorded time: the recording's frames show it"));
            }

            refined.Add(moved);
        }

        return refined;
    }

    private static NodeEvent Move(NodeEvent item, Ipv4Address address, bool isOwned, RecordingHints hints)
    {
        // The earliest proof after the last proof of the opposite, within the time that the record can be late.
        long proof = item.TimestampNanoseconds;
        foreach (OwnershipProof evidence in hints.Ownership)
        {
            if (evidence.Address != address.Value || evidence.TimestampNanoseconds >= item.TimestampNanoseconds
                || evidence.TimestampNanoseconds < item.TimestampNanoseconds - LatenessMax)
            {
                continue;
            }

            if (evidence.IsOwned != isOwned)
            {
                proof = item.TimestampNanoseconds;
            }
            else if (proof == item.TimestampNanoseconds)
            {
                proof = evidence.CauseNanoseconds;
            }
        }

        return proof == item.TimestampNanoseconds ? item : item with { TimestampNanoseconds = proof };
    }
}
