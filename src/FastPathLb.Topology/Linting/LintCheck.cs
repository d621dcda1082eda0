namespace FastPathLb.Topology;

/// <summary>How bad what a check finds is.</summary>
public enum LintSeverity
{
    /// <summary>Something that is asked for does not work.</summary>
    Fault,

    /// <summary>It works, and will not always.</summary>
    Risk,
}

/// <summary>One thing that breaks virtual addresses in practice: how it is seen, what it means, what to do about it.</summary>
/// <param name="name">Name, by which it can be talked about.</param>
/// <param name="severity">How bad it is.</param>
/// <param name="meaning">What users of the service notice.</param>
/// <param name="remedy">What an operator does about it.</param>
public abstract class LintCheck(string name, LintSeverity severity, string meaning, string remedy)
{
    /// <summary>Name, by which it can be talked about.</summary>
    public string Name => name;

    /// <summary>How bad it is.</summary>
    public LintSeverity Severity => severity;

    /// <summary>What users of the service notice.</summary>
    public string Meaning => meaning;

    /// <summary>What an operator does about it.</summary>
    public string Remedy => remedy;

    /// <summary>Looks for it.</summary>
    public abstract IEnumerable<LintFinding> Find(LintSubject subject);

    /// <summary>A finding of this check.</summary>
    /// <param name="what">What is wrong, one sentence without its end.</param>
    /// <param name="place">Where it stands, or where it is missing.</param>
    protected LintFinding Found(string what, DumpPlace place) => new(this, what, place);
}

/// <summary>Something that a check found.</summary>
/// <param name="Check">The check.</param>
/// <param name="What">What is wrong.</param>
/// <param name="Place">Where.</param>
public sealed record LintFinding(LintCheck Check, string What, DumpPlace Place);

/// <summary>A place in a file.</summary>
/// <param name="File">The file.</param>
/// <param name="Line">Line from 1; 0: what is missing from the file has no line in it.</param>
public sealed record DumpPlace(string File, int Line)
{
    /// <inheritdoc/>
    public override string ToString() => Line == 0 ? File : $"{File}:{Line}";
}
