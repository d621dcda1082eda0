namespace FastPathLb.Wire;

/// <summary>Values of hexadecimal digits, for the parsers of addresses.</summary>
internal static class HexDigit
{
    /// <summary>0..15. The caller has asked <see cref="char.IsAsciiHexDigit"/>.</summary>
    public static uint ValueOf(char digit) => digit <= '9' ? (uint)(digit - '0') : (uint)((digit | 0x20) - 'a' + 10);
}
