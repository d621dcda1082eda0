using System.Globalization;
using FastPathLb.Cli.Running;

namespace FastPathLb.Cli.Output;

/// <summary>One line for each of many verifications, in the order of the recordings, as soon as all before it are there.</summary>
internal sealed class OutcomeLines
{
    private readonly TextWriter _writer;
    private readonly RecordingOutcome?[] _waiting;
    private readonly int _nameWidth;
    private readonly Lock _lock = new();
    private int _next;

    /// <summary>Writes the heads.</summary>
    public OutcomeLines(TextWriter writer, IReadOnlyList<Recording> recordings)
    {
        _writer = writer;
        _waiting = new RecordingOutcome?[recordings.Count];
        _nameWidth = recordings.Select(recording => recording.Name.Length).Append(0).Max();
        _writer.WriteLine($"{"".PadRight(_nameWidth)}  {"attach",-8}  {"frames",7} {"differ",6}  {"rows",7} {"differ",6}  {"time",8}");
    }

    /// <summary>Takes an outcome. Any thread.</summary>
    public void Put(int index, RecordingOutcome outcome)
    {
        lock (_lock)
        {
            _waiting[index] = outcome;
            while (_next < _waiting.Length && _waiting[_next] is { } ready)
            {
                _writer.WriteLine(LineOf(ready));
                _next++;
            }

            _writer.Flush();
        }
    }

    private string LineOf(RecordingOutcome outcome)
    {
        string name = $"{outcome.Recording.Name.PadRight(_nameWidth)}  {outcome.Recording.Attach,-8}";
        if ((outcome.Problem ?? outcome.LeftOut) is { } reason)
        {
            return $"{name}  {reason}";
        }

        VerifyResult result = outcome.Result!;
        string rows = result.Tables is { } tables ? $"{tables.SameCount,7} {tables.Differences.Count,6}" : $"{"-",7} {"-",6}";
        string end = result.IsSame ? "" : "  DIFFERENT";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{name}  {result.Frames.SameCount,7} {result.Frames.Differences.Count,6}  {rows}  "
            + $"{outcome.Elapsed.TotalSeconds,6:0.00} s{end}");
    }
}
