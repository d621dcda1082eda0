using FastPathLb.Engine.Placing;

namespace FastPathLb.Engine.Tests.Placing;

public sealed class ProcessorListTests
{
    [Theory]
    [InlineData("2-3,0", 3, null)]
    [InlineData("0", 2, "2 workers need a processor each, and it names 1")]
    [InlineData("0,9", 1, "there is no processor 9 here, but 0-3")]
    [InlineData("1", 1, "this process may not use processor 1, but 0,2-3 (cpuset, taskset)")]
    public void What_the_machine_or_the_process_lacks_is_told(string text, int workers, string? problem)
    {
        Assert.True(ProcessorList.TryParse(text, out ProcessorList? list));
        Assert.Equal(problem, list.FindProblem(workers, online: [0, 1, 2, 3], allowed: [0, 2, 3]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("one")]
    [InlineData("0,0")]
    public void What_is_no_list_is_refused(string text) => Assert.False(ProcessorList.TryParse(text, out _));

    [Fact]
    public void Where_the_kernel_does_not_say_what_is_online_what_is_allowed_counts()
    {
        Assert.Null(ProcessorList.Of(5).FindProblem(1, online: null, allowed: [5]));
        Assert.NotNull(ProcessorList.Of(5).FindProblem(1, online: null, allowed: [4]));
    }

    [LinuxFact]
    public void A_worker_runs_on_its_processor_and_nobody_else_is_bound()
    {
        ProcessorList allowed = ProcessorList.Allowed();
        for (int worker = 0; worker < allowed.Count; worker++)
        {
            string within = "";
            string beside = "";
            allowed.Run(worker, () =>
            {
                within = ProcessorList.Allowed().ToString();

                // As the thread that reads a capture ahead is started.
                Thread other = new(() => beside = ProcessorList.Allowed().ToString());
                other.Start();
                other.Join();
            });

            Assert.Equal(ProcessorList.Of(allowed[worker]).ToString(), within);
            Assert.Equal(allowed.ToString(), beside);
            Assert.Equal(allowed.ToString(), ProcessorList.Allowed().ToString());
        }
    }

    [LinuxFact]
    public void A_processor_that_is_not_there_is_refused()
    {
        ProcessorList nowhere = ProcessorList.Of(8191);

        Assert.NotNull(nowhere.FindProblem(1));
        Assert.False(nowhere.TryPin(0));
        Assert.Throws<IOException>(() => nowhere.Run(0, () => Assert.Fail("must not run elsewhere")));
    }

    [LinuxFact]
    public void What_a_worker_throws_reaches_the_caller() =>
        Assert.Throws<InvalidDataException>(() => ProcessorList.Allowed().Run(0, () => throw new InvalidDataException("x")));
}
