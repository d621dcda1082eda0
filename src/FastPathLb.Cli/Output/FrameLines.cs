using System.Globalization;
using FastPathLb.Cli.Running;
using FastPathLb.Engine.Reporting;
using FastPathLb.Pipeline;

namespace FastPathLb.Cli.Output;

/// <summary>Frames, one line each.</summary>
internal static class FrameLines
{
    private const int RoleWidth = 10;

    /// <summary>Writes a frame's line.</summary>
    public static void Write(TextWriter writer, ShownFrame frame)
    {
        writer.Write(string.Create(CultureInfo.InvariantCulture, $"{frame.Number,6}  {TimeText.Of(frame.TimestampNanoseconds)}  "));
        if (frame.Role is { } role)
        {
            writer.Write($"{NameOf(role).PadRight(RoleWidth)}  ");
        }

        writer.Write(frame.Text);
        writer.WriteLine(OutcomeOf(frame));
    }

    /// <summary>A role's name.</summary>
    public static string NameOf(FrameRole role) => role switch
    {
        FrameRole.ClientToVirtual => "client→VIP",
        FrameRole.BalancerToServer => "LB→task",
        FrameRole.ServerToBalancer => "task→LB",
        FrameRole.BalancerToClient => "LB→client",
        FrameRole.ClientToBalancer => "client→LB",
        FrameRole.Arp => "ARP",
        _ => "other",
    };

    private static string OutcomeOf(ShownFrame frame) =>
        frame.Verdict == Verdict.None ? ""
        : frame.Reason == DropReason.None ? $"  => {SummaryText.NameOf(frame.Verdict)}"
        : $"  => {SummaryText.NameOf(frame.Verdict)}, {DropReasonText.Name(frame.Reason)}: {DropReasonText.Describe(frame.Reason)}";
}
