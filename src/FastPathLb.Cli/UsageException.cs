namespace FastPathLb.Cli;

/// <summary>What was typed cannot be done; the message is one line for the user.</summary>
internal sealed class UsageException : Exception
{
    /// <summary>Without a message.</summary>
    public UsageException()
    {
    }

    /// <summary>With a message.</summary>
    public UsageException(string message)
        : base(message)
    {
    }

    /// <summary>With a message and its cause.</summary>
    public UsageException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
