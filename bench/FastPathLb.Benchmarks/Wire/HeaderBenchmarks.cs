using BenchmarkDotNet.Attributes;
using FastPathLb.Wire;
using FastPathLb.Workload;

namespace FastPathLb.Benchmarks.Wire;

/// <summary>All seven headers of a VXLAN frame: each one's length check, and the fields a load balancer asks for.</summary>
[MemoryDiagnoser]
public class HeaderBenchmarks
{
    private const int FrameCount = 256;

    private readonly byte[][] _frames = new byte[FrameCount][];

    [GlobalSetup]
    public void WriteFrames()
    {
        for (uint flow = 0; flow < FrameCount; flow++)
        {
            _frames[flow] = new byte[PeerFrames.FrameBytes];
            PeerFrames.WriteForward(_frames[flow], flow, IpProtocol.Tcp, TcpFlags.Ack);
        }

        if (ByteByByte() != Views())
        {
            throw new InvalidOperationException("the two parsers do not agree");
        }
    }

    /// <summary>What one writes without a library: indexes, shifts, and a check before each header.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = FrameCount)]
    public uint ByteByByte()
    {
        uint sum = 0;
        foreach (byte[] frame in _frames)
        {
            int at = ParseOuter(frame);
            if (at < 0 || frame.Length < at + 14 || ((frame[at + 12] << 8) | frame[at + 13]) != 0x0800)
            {
                continue;
            }

            at += 14;
            if (frame.Length < at + 20 || frame[at] >> 4 != 4 || frame[at + 9] != 6)
            {
                continue;
            }

            uint source = ((uint)frame[at + 12] << 24) | ((uint)frame[at + 13] << 16) | ((uint)frame[at + 14] << 8) | frame[at + 15];
            uint destination = ((uint)frame[at + 16] << 24) | ((uint)frame[at + 17] << 16) | ((uint)frame[at + 18] << 8) | frame[at + 19];
            at += (frame[at] & 15) * 4;
            if (frame.Length >= at + 20)
            {
                sum += source + destination + (uint)((frame[at] << 8) | frame[at + 1]) + (uint)((frame[at + 2] << 8) | frame[at + 3])
                    + frame[at + 13];
            }
        }

        return sum;
    }

    /// <summary>The library's views.</summary>
    [Benchmark(OperationsPerInvoke = FrameCount)]
    public uint Views()
    {
        uint sum = 0;
        foreach (byte[] frame in _frames)
        {
            if (EthernetHeader.TryParse(frame, out EthernetHeader outer) && outer.EtherType == EtherType.Ipv4
                && Ipv4Header.TryParse(outer.Payload, out Ipv4Header outerIpv4) && outerIpv4.Protocol == IpProtocol.Udp
                && UdpHeader.TryParse(outerIpv4.Payload, out UdpHeader udp) && udp.DestinationPort == VxlanHeader.UdpPort
                && VxlanHeader.TryParse(udp.Payload, out VxlanHeader vxlan) && vxlan.HasVni && vxlan.Vni.Value == 4097
                && EthernetHeader.TryParse(vxlan.Payload, out EthernetHeader inner) && inner.EtherType == EtherType.Ipv4
                && Ipv4Header.TryParse(inner.Payload, out Ipv4Header ipv4) && ipv4.Protocol == IpProtocol.Tcp
                && TcpHeader.TryParse(ipv4.Payload, out TcpHeader tcp))
            {
                sum += ipv4.Source.Value + ipv4.Destination.Value + tcp.SourcePort + tcp.DestinationPort + (uint)tcp.Flags;
            }
        }

        return sum;
    }

    private static int ParseOuter(byte[] frame)
    {
        if (frame.Length < 14 || ((frame[12] << 8) | frame[13]) != 0x0800)
        {
            return -1;
        }

        int at = 14;
        if (frame.Length < at + 20 || frame[at] >> 4 != 4 || frame[at + 9] != 17)
        {
            return -1;
        }

        at += (frame[at] & 15) * 4;
        if (frame.Length < at + 8 || ((frame[at + 2] << 8) | frame[at + 3]) != 4789)
        {
            return -1;
        }

        at += 8;
        return frame.Length < at + 8 || (frame[at] & 8) == 0 || ((frame[at + 4] << 16) | (frame[at + 5] << 8) | frame[at + 6]) != 4097
            ? -1
            : at + 8;
    }
}
