using System.Text;
using FastPathLb.Cli.Input;
using FastPathLb.Cli.Options;
using FastPathLb.Engine.Building;
using FastPathLb.Engine.Replaying;
using FastPathLb.Engine.Reporting;
using FastPathLb.Io.Captures;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Cli.Running;

/// <summary>Lists the frames of a capture, with what a load balancer makes of them where there is one.</summary>
internal sealed class FrameLister(Action<ShownFrame> show, long count, CommandConsole console)
{
    private readonly List<ShownFrame> _own = [];
    private readonly List<ShownFrame> _batch = [];
    private long _left = count;

    /// <summary>Lists frames alone.</summary>
    public void List(CaptureInput input)
    {
        CaptureReader reader = input.Reader;
        while (_left > 0 && !console.Stop.IsRaised && reader.TryRead(out CapturedFrame frame))
        {
            Show(new ShownFrame(frame.RecordNumber, frame.TimestampNanoseconds, frame.Data.Length, TextOf(frame)));
        }
    }

    /// <summary>Puts the frames through the load balancer and lists them with their verdicts.</summary>
    public ReplaySummary List(ReplayPlan plan)
    {
        using BuiltLoadBalancer built = LoadBalancerBuilder.Build(plan.Node, plan.Balancer);
        using CancellationTokenSource enough = CancellationTokenSource.CreateLinkedTokenSource(console.Stop.Token);
        FrameRoles roles = new(plan.Node, plan.Balancer.AttachPoint, plan.Balancer.NamespaceName);
        ReplaySummary summary = ReplayRunner.Run(plan, built, console, new ReplayHooks
        {
            Sink = new CaptureSink(null),
            OwnFrames = (frame, time, number) => _own.Add(
                new ShownFrame(number, time, frame.Length, FramePrinter.Print(frame)) { Role = roles.RoleOf(frame), IsOwn = true }),
            BeforeBatch = batch => Keep(batch, roles),
            AfterBatch = batch =>
            {
                ShowBatch(batch);
                if (_left <= 0)
                {
                    enough.Cancel();
                }
            },
            Stopping = enough.Token,
        });
        ShowAll();
        return summary;
    }

    private static string TextOf(in CapturedFrame frame)
    {
        if (frame.LinkType == LinkType.Ethernet)
        {
            return FramePrinter.Print(frame.Data);
        }

        if (!LinkLayer.TryGetNetworkPacket(frame.LinkType, frame.Data, out ushort etherType, out ReadOnlySpan<byte> packet))
        {
            return $"link type {frame.LinkType}, length {frame.Data.Length}";
        }

        StringBuilder line = new();
        FramePrinter.PrintPayload((EtherType)etherType, packet, line);
        return line.ToString();
    }

    // As they came: the load balancer rewrites them where they lie.
    private void Keep(FrameBatch batch, FrameRoles roles)
    {
        for (int index = 0; index < batch.Count; index++)
        {
            ReadOnlySpan<byte> bytes = batch.FrameBytes(index);
            FrameDescriptor frame = batch.Frames[index];
            _batch.Add(new ShownFrame(frame.Number, frame.TimestampNanoseconds, bytes.Length, FramePrinter.Print(bytes))
            {
                Role = roles.RoleOf(bytes),
            });
        }
    }

    private void ShowBatch(FrameBatch batch)
    {
        for (int index = 0; index < batch.Count; index++)
        {
            _batch[index].Verdict = batch.Frames[index].Verdict;
            _batch[index].Reason = batch.Frames[index].Reason;
        }

        ShowAll();
    }

    // Both directions together again, in the order of the capture.
    private void ShowAll()
    {
        _batch.AddRange(_own);
        _batch.Sort((left, right) => left.Number.CompareTo(right.Number));
        foreach (ShownFrame frame in _batch)
        {
            if (_left > 0)
            {
                Show(frame);
            }
        }

        _batch.Clear();
        _own.Clear();
    }

    private void Show(ShownFrame frame)
    {
        show(frame);
        _left--;
    }
}
