using FastPathLb.Pipeline;

namespace FastPathLb.Live.Devices;

/// <summary>How large a batch's arena must be for a device's frames.</summary>
internal static class BatchSize
{
    /// <summary>Room for a full batch of largest frames, within reason: jumbo super-packets fill fewer.</summary>
    public static int InputBytes(int frameBytesMax)
    {
        const int Alignment = 64;
        const int RoomMax = 16 * 1024 * 1024;
        int slot = FrameBatch.HeadroomBytes + frameBytesMax + FrameBatch.TailroomBytes + Alignment;
        int least = FrameBatch.FrameLengthMax + FrameBatch.HeadroomBytes + FrameBatch.TailroomBytes;
        return (int)Math.Clamp((long)slot * FrameBatch.CountMax, least, RoomMax);
    }
}
