using FastPathLb.Balancer.Stack;
using FastPathLb.Live.Devices;
using Microsoft.Extensions.Logging;

namespace FastPathLb.Live.Running;

/// <summary>Tells the log, once, that the interface went down, and that it is up again: by what it refused to send; and what is wrong with its settings.</summary>
internal sealed class LinkWatch
{
    private readonly IReadOnlyList<ILiveDevice> _queues;
    private readonly IReadOnlyList<NetworkNamespace> _spaces;
    private readonly string _name;
    private long _dropsSeen;
    private long _sentSeen;
    private bool _isDown;
    private bool _isOffloadTold;
    private bool _isChecksumTold;

    /// <param name="queues">The interface, as each worker has it.</param>
    /// <param name="spaces">The workers' namespaces.</param>
    public LinkWatch(IReadOnlyList<ILiveDevice> queues, IReadOnlyList<NetworkNamespace> spaces)
    {
        _queues = queues;
        _spaces = spaces;
        _name = queues[0].Name;
    }

    public void Look(ILogger logger)
    {
        long downDrops = 0;
        long framesOut = 0;
        long superPackets = 0;
        long partialChecksums = 0;
        for (int worker = 0; worker < _queues.Count; worker++)
        {
            DeviceCounters counters = _queues[worker].Counters;
            downDrops += counters.DownDrops;
            framesOut += counters.FramesOut;
            superPackets += counters.SuperPackets;
            partialChecksums += _spaces[worker].PartialChecksumPackets;
        }

        if (downDrops > _dropsSeen && !_isDown)
        {
            _isDown = true;
            LiveLog.DeviceDown(logger, _name);
        }
        else if (_isDown && downDrops == _dropsSeen && framesOut > _sentSeen)
        {
            _isDown = false;
            LiveLog.DeviceUp(logger, _name);
        }

        if (superPackets > 0 && !_isOffloadTold)
        {
            _isOffloadTold = true;
            LiveLog.Warning(
                logger,
                $"{_name} receives frames longer than its MTU, from segmentation offload, which cannot be sent on: "
                + $"ethtool -K {_name} tso off gso off gro off, and the same at a veth's other end");
        }

        if (partialChecksums > 0 && !_isChecksumTold)
        {
            _isChecksumTold = true;
            LiveLog.Warning(
                logger,
                $"{_name} receives packets whose checksum was left to a network card, which their receivers will drop: "
                + "ethtool -K PEER tx off, where PEER is the veth's other end");
        }

        _dropsSeen = downDrops;
        _sentSeen = framesOut;
    }
}
