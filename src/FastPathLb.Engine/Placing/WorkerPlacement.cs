using FastPathLb.Conntrack;

namespace FastPathLb.Engine.Placing;

/// <summary>Where workers run and where their table lies.</summary>
/// <param name="Processors">A processor for each worker; null where the system chooses.</param>
/// <param name="Memory">The NUMA nodes of the table.</param>
public readonly record struct WorkerPlacement(ProcessorList? Processors, MemoryPlacement Memory);
