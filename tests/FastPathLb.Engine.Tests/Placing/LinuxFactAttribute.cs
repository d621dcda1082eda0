namespace FastPathLb.Engine.Tests.Placing;

[AttributeUsage(AttributeTargets.Method)]
internal sealed class LinuxFactAttribute : FactAttribute
{
    public LinuxFactAttribute() => Skip = OperatingSystem.IsLinux() ? null : "sched_setaffinity is Linux's";
}
