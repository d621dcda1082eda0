using FastPathLb.Balancer;
using FastPathLb.Pipeline;

namespace FastPathLb.Workload;

/// <summary>One timed run over a number of frames: generator and data path, or the generator alone, to be subtracted.</summary>
public static class TimedPass
{
    /// <summary>Runs it.</summary>
    /// <param name="balancer">The data path.</param>
    /// <param name="batch">Its batch; the generator fills the same.</param>
    /// <param name="generator">Makes the frames.</param>
    /// <param name="frames">How many.</param>
    /// <param name="hasWork">Whether they are processed, too.</param>
    /// <returns>Processor time of the calling thread for a frame, in nanoseconds.</returns>
    public static double Run(LoadBalancer balancer, FrameBatch batch, FrameGenerator generator, int frames, bool hasWork)
    {
        double began = LinuxInterop.ThreadNanoseconds();
        int left = frames;
        while (left > 0)
        {
            batch.Clear();
            generator.Fill(left);
            left -= batch.Count;
            if (hasWork)
            {
                balancer.Process(batch);
                batch.Flush();
            }
        }

        return (LinuxInterop.ThreadNanoseconds() - began) / frames;
    }
}
