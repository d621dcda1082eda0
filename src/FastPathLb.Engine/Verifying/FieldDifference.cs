namespace FastPathLb.Engine.Verifying;

/// <summary>A field in which two frames of one length differ.</summary>
/// <param name="Name">The field: <c>inner TCP window</c>.</param>
/// <param name="OffsetBytes">Its first byte, or in a payload the first that differs, from the frame's start.</param>
/// <param name="Expected">The recording's bytes, in hexadecimal.</param>
/// <param name="Actual">The emulator's bytes, in hexadecimal.</param>
public sealed record FieldDifference(string Name, int OffsetBytes, string Expected, string Actual);
