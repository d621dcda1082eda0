using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace FastPathLb.Live.Interop;

/// <summary>What interface ioctls take (struct ifreq): a name, and a union of which two bytes, four or an address are used.</summary>
[StructLayout(LayoutKind.Explicit, Size = SizeBytes)]
internal struct InterfaceRequest
{
    public const int SizeBytes = 40;

    /// <summary>Longest name in bytes; a zero follows it (IFNAMSIZ - 1).</summary>
    public const int NameBytesMax = 15;

    [FieldOffset(0)]
    public NameBytes Name;

    [FieldOffset(16)]
    public short Flags;

    [FieldOffset(16)]
    public int Number;

    [FieldOffset(16)]
    public nint Pointer;

    // struct sockaddr: family, then the address.
    [FieldOffset(18)]
    public AddressBytes Address;

    /// <summary>A request about an interface.</summary>
    public static InterfaceRequest For(string name)
    {
        InterfaceRequest request = default;
        Encoding.UTF8.GetBytes(name, request.Name[..NameBytesMax]);
        return request;
    }

    /// <summary>The name that the kernel filled in.</summary>
    public readonly string ReadName()
    {
        ReadOnlySpan<byte> bytes = Name;
        int end = bytes.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
    }

    [InlineArray(NameBytesMax + 1)]
    internal struct NameBytes
    {
        private byte _first;
    }

    [InlineArray(6)]
    internal struct AddressBytes
    {
        private byte _first;
    }
}
