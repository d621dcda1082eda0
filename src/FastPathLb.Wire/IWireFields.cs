namespace FastPathLb.Wire;

/// <summary>Contract of every plain value that a header is emitted from.</summary>
public interface IWireFields
{
    /// <summary>Bytes that <see cref="WriteTo"/> writes.</summary>
    int LengthBytes { get; }

    /// <summary>Writes the header at the start of <paramref name="bytes"/>, which has room for <see cref="LengthBytes"/>.</summary>
    void WriteTo(Span<byte> bytes);
}
