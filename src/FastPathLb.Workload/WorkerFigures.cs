namespace FastPathLb.Workload;

/// <summary>What some workers took for a frame, all running at once: the generator's share subtracted.</summary>
/// <param name="Workers">How many.</param>
/// <param name="Flows">Connections of all.</param>
/// <param name="Nanoseconds">Processor time of one worker for one frame, their mean.</param>
/// <param name="FramesPerSecond">Frames of all workers, each by its own processor time.</param>
public readonly record struct WorkerFigures(int Workers, int Flows, Figures Nanoseconds, double FramesPerSecond);
