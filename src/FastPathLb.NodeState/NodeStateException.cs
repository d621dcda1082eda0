namespace FastPathLb.NodeState;

/// <summary>A dump, configuration or event file that cannot be what it should be; the message is one line for the user.</summary>
public sealed class NodeStateException : Exception
{
    /// <summary>Creates an exception without a position.</summary>
    public NodeStateException()
    {
    }

    /// <summary>Creates an exception without a position.</summary>
    public NodeStateException(string message)
        : base(message)
    {
        Problem = message;
    }

    /// <summary>Creates an exception without a position, with its cause.</summary>
    public NodeStateException(string message, Exception innerException)
        : base(message, innerException)
    {
        Problem = message;
    }

    /// <summary>Creates an exception at a line of a file: <c>file:line: problem</c>.</summary>
    public NodeStateException(string fileName, int line, string problem)
        : base($"{fileName}:{line}: {problem}")
    {
        FileName = fileName;
        Problem = problem;
        Line = line;
    }

    /// <summary>Creates an exception at a column of a file: <c>file:line:column: problem</c>.</summary>
    public NodeStateException(string fileName, int line, int column, string problem)
        : base($"{fileName}:{line}:{column}: {problem}")
    {
        FileName = fileName;
        Problem = problem;
        Line = line;
        Column = column;
    }

    /// <summary>What is wrong, without the place.</summary>
    public string Problem { get; init; } = "";

    /// <summary>The file, where one is to blame.</summary>
    public string? FileName { get; }

    /// <summary>Line in the file, from 1; 0 where there is none.</summary>
    public int Line { get; }

    /// <summary>Column in the line, from 1; 0 where it is not known.</summary>
    public int Column { get; }
}
