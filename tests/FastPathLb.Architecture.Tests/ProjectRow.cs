namespace FastPathLb.Architecture.Tests;

/// <summary>A project in the table of src/README.md.</summary>
/// <param name="Name">Its name without the prefix.</param>
/// <param name="Knows">What it knows, in words.</param>
internal sealed record ProjectRow(string Name, string Knows);
