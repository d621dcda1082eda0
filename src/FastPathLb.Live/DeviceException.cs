using FastPathLb.Live.Interop;

namespace FastPathLb.Live;

/// <summary>A device cannot be opened or used; the message is one line that says what to do about it.</summary>
public sealed class DeviceException : IOException
{
    /// <summary>Without a message.</summary>
    public DeviceException()
    {
    }

    /// <summary>With a message.</summary>
    public DeviceException(string message)
        : base(message)
    {
    }

    /// <summary>With a message and its cause.</summary>
    public DeviceException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>From a system call's error, with its usual remedy.</summary>
    /// <param name="device">The interface or file.</param>
    /// <param name="problem">What could not be done.</param>
    /// <param name="error">The error number.</param>
    /// <param name="remedy">What to do about it; where not given, what helps against such an error in general.</param>
    internal static DeviceException Of(string device, string problem, int error, string? remedy = null)
    {
        string? help = remedy ?? RemedyOf(error);
        return new DeviceException($"{device}: {problem}: {LibcInterop.Describe(error)}{(help is null ? "" : $"; {help}")}");
    }

    private static string? RemedyOf(int error) => error switch
    {
        ErrorNumber.NotPermitted or ErrorNumber.AccessDenied =>
            "run as root, or give the program the rights: setcap cap_net_admin,cap_net_raw,cap_bpf+ep PROGRAM",
        ErrorNumber.NoDevice or ErrorNumber.NoDeviceOrAddress => "'ip link' lists the interfaces of this network namespace",
        ErrorNumber.Busy => "another program uses it: 'ip -d link' and 'fuser /dev/net/tun' tell which",
        ErrorNumber.OutOfMemory or ErrorNumber.NoBufferSpace => "the limit of locked memory may be too low: ulimit -l unlimited",
        _ => null,
    };
}
