using FastPathLb.Balancer.Stack;
using FastPathLb.Live.Devices;
using Microsoft.Extensions.Logging;

namespace FastPathLb.Live.Running;

/// <summary>Tells the log, once, that the interface went down, and that it is up again: by what it refused to send; and what is wrong with its settings.</summary>
internal sealed class LinkWatch
{
    private readonly ILiveDevice _device;
    private readonly NetworkNamespace _space;
    private long _dropsSeen;
    private long _sentSeen;
    private bool _isDown;
    private bool _isOffloadTold;
    private bool _isChecksumTold;

    public LinkWatch(ILiveDevice device, NetworkNamespace space)
    {
        _device = device;
        _space = space;
    }

    public void Look(ILogger logger)
    {
        DeviceCounters counters = _device.Counters;
        if (counters.DownDrops > _dropsSeen && !_isDown)
        {
            _isDown = true;
            LiveLog.DeviceDown(logger, _device.Name);
        }
        else if (_isDown && counters.DownDrops == _dropsSeen && counters.FramesOut > _sentSeen)
        {
            _isDown = false;
            LiveLog.DeviceUp(logger, _device.Name);
        }

        if (counters.SuperPackets > 0 && !_isOffloadTold)
        {
            _isOffloadTold = true;
            LiveLog.Warning(
                logger,
                $"{_device.Name} receives frames longer than its MTU, from segmentation offload, which cannot be sent on: "
                + $"ethtool -K {_device.Name} tso off gso off gro off, and the same at a veth's other end");
        }

        if (_space.PartialChecksumPackets > 0 && !_isChecksumTold)
        {
            _isChecksumTold = true;
            LiveLog.Warning(
                logger,
                $"{_device.Name} receives packets whose checksum was left to a network card, which their receivers will drop: "
                + "ethtool -K PEER tx off, where PEER is the veth's other end");
        }

        _dropsSeen = counters.DownDrops;
        _sentSeen = counters.FramesOut;
    }
}
