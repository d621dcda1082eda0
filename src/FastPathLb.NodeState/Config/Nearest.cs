namespace FastPathLb.NodeState;

/// <summary>Guesses which word was meant.</summary>
internal static class Nearest
{
    private const int LengthMax = 64;

    /// <summary><c>; did you mean 'scheduler'?</c>, or nothing where no word is near.</summary>
    public static string Hint(string text, ReadOnlySpan<string> words)
    {
        string? best = null;
        int bestDistance = Math.Max(2, text.Length / 3) + 1;
        foreach (string word in words)
        {
            int distance = text.Length > LengthMax ? int.MaxValue : Distance(text.ToLowerInvariant(), word);
            if (distance < bestDistance)
            {
                bestDistance = distance;
                best = word;
            }
        }

        return best is null ? "" : $"; did you mean '{best}'?";
    }

    // Levenshtein's distance.
    private static int Distance(string left, string right)
    {
        int[] row = [.. Enumerable.Range(0, right.Length + 1)];
        for (int i = 1; i <= left.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= right.Length; j++)
            {
                int change = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(change, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }
}
