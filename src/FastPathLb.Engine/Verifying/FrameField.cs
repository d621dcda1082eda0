namespace FastPathLb.Engine.Verifying;

/// <summary>A field of a frame and where it is.</summary>
/// <param name="Name">Its name, with its layer.</param>
/// <param name="OffsetBytes">First byte, from the frame's start.</param>
/// <param name="LengthBytes">Length.</param>
internal readonly record struct FrameField(string Name, int OffsetBytes, int LengthBytes);
