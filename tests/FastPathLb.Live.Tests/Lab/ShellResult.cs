namespace FastPathLb.Live.Tests.Lab;

/// <summary>How a program ended.</summary>
internal sealed record ShellResult(int Code, string Output, string Error);
