using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace FastPathLb.Live.Tests.Lab;

/// <summary>The program <c>fastpathlb run</c> in a namespace, as an operator starts it.</summary>
internal sealed class BalancerProcess : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly StringBuilder _log = new();
    private readonly string _socket;

    private BalancerProcess(Process process, string socket)
    {
        _process = process;
        _socket = socket;
    }

    /// <summary>The program's own file.</summary>
    public static string Program => Path.Combine(AppContext.BaseDirectory, "fastpathlb.dll");

    /// <summary>What it wrote to standard error so far.</summary>
    public string Log
    {
        get
        {
            lock (_log)
            {
                return _log.ToString();
            }
        }
    }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>Memory it holds, in bytes.</summary>
    public long MemoryBytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>The share of a processor that it uses, over a second.</summary>
    public double ProcessorShare()
    {
        Stopwatch time = Stopwatch.StartNew();
        _process.Refresh();
        TimeSpan before = _process.TotalProcessorTime;
        Thread.Sleep(1000);
        _process.Refresh();
        return (_process.TotalProcessorTime - before) / time.Elapsed;
    }

    /// <summary>Starts it, and waits until it serves.</summary>
    public static BalancerProcess Start(NetworkLab lab, string namespaceName, string folder, params string[] options)
    {
        string socket = Path.Combine(folder, "ctl.sock");
        Process process = Shell.Start(lab.In(
            namespaceName, ["dotnet", Program, "run", "--control", socket, .. options]));
        BalancerProcess balancer = new(process, socket);
        process.ErrorDataReceived += balancer.Collect;
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        balancer.WaitForLog("load balancer");
        return balancer;
    }

    /// <summary>Waits for a line of the log.</summary>
    public void WaitForLog(string text)
    {
        Stopwatch waiting = Stopwatch.StartNew();
        while (!Log.Contains(text, StringComparison.Ordinal))
        {
            Assert.True(!_process.HasExited || waiting.Elapsed < TimeSpan.FromSeconds(1), $"it has ended: {Log}");
            Assert.True(waiting.Elapsed < s_patience, $"'{text}' was not said: {Log}");
            Thread.Sleep(20);
        }
    }

    /// <summary>Asks it something as JSON, with the product's own client.</summary>
    public JsonElement Show(string what)
    {
        byte[] reply = Control.ControlClient.Ask(_socket, Encoding.UTF8.GetBytes($$"""{"show":"{{what}}"}"""));
        return JsonDocument.Parse(reply).RootElement;
    }

    /// <summary>Runs <c>fastpathlb ctl</c>.</summary>
    public string Ctl(params string[] words) => Shell.Run(["dotnet", Program, "ctl", "--socket", _socket, "--", .. words]);

    /// <summary>Has it carry out a command without starting a program for it.</summary>
    public void Command(string line)
    {
        byte[] reply = Control.ControlClient.Ask(_socket, Encoding.UTF8.GetBytes($$"""{"command":"{{line}}"}"""));
        Assert.True(JsonDocument.Parse(reply).RootElement.GetProperty("ok").GetBoolean(), Encoding.UTF8.GetString(reply));
    }

    public void Signal(string signal) => Shell.Run("kill", $"-{signal}", $"{_process.Id}");

    /// <summary>Waits for its end.</summary>
    /// <returns>The exit code.</returns>
    public int WaitForExit()
    {
        Assert.True(_process.WaitForExit(s_patience), $"it does not end: {Log}");
        _process.WaitForExit();
        return _process.ExitCode;
    }

    /// <summary>Stops it as Ctrl-C does.</summary>
    /// <returns>The exit code.</returns>
    public int Stop()
    {
        Signal("INT");
        return WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    private void Collect(object sender, DataReceivedEventArgs line)
    {
        lock (_log)
        {
            _log.AppendLine(line.Data);
        }
    }
}
