namespace FastPathLb.Cli.Options;

/// <summary>The words that options take.</summary>
internal static class Words
{
    public const string Underlay = "underlay";
    public const string Overlay = "overlay";
    public const string Node = "node";
    public const string Listed = "listed";
    public const string Reversed = "reversed";
    public const string NextFree = "next-free";
    public const string Drawn = "drawn";
    public const string Auto = "auto";
    public const string Always = "always";
    public const string Never = "never";
}
