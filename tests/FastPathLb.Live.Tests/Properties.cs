// Tests measure rates and wait for timers on two processors: one at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
