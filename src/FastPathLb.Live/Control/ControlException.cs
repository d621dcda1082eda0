namespace FastPathLb.Live.Control;

/// <summary>A request at the control socket that cannot be fulfilled; the message goes to who asked.</summary>
public sealed class ControlException : Exception
{
    /// <summary>Without a message.</summary>
    public ControlException()
    {
    }

    /// <summary>With a message.</summary>
    public ControlException(string message)
        : base(message)
    {
    }

    /// <summary>With a message and its cause.</summary>
    public ControlException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
