namespace FastPathLb.Live.Interop;

/// <summary>Error numbers of Linux on x86-64 and arm64 (asm-generic/errno.h) that the devices act upon.</summary>
internal static class ErrorNumber
{
    public const int NotPermitted = 1;
    public const int NoEntry = 2;
    public const int Interrupted = 4;
    public const int InputOutput = 5;
    public const int NoDeviceOrAddress = 6;
    public const int TryAgain = 11;
    public const int OutOfMemory = 12;
    public const int AccessDenied = 13;
    public const int Busy = 16;
    public const int NoDevice = 19;
    public const int Invalid = 22;
    public const int BadDescriptorState = 77;
    public const int MessageTooLong = 90;
    public const int ProtocolNotSupported = 93;
    public const int NotSupported = 95;
    public const int FamilyNotSupported = 97;
    public const int NetworkDown = 100;
    public const int NoBufferSpace = 105;
}
