namespace FastPathLb.Wire.Tests;

/// <summary>Bytes written as hexadecimal digits, in lines.</summary>
internal static class Hex
{
    public static byte[] Bytes(string text) =>
        Convert.FromHexString(text.Replace("\n", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal));
}
