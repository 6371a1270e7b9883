namespace WorktreePool.Git.LibGit2;

/// <summary>Whether a checkout writes the very bytes of a blob, so that a file can be compared with its blob without git.</summary>
internal static class PlainBytes
{
    private static readonly string[] Converting = ["eol", "filter", "ident", "encoding", "crlf"];

    /// <summary>
    /// Whether a <c>.gitattributes</c> leaves bytes alone. <c>text</c> and <c>text=auto</c> do where nothing asks for other line ends than a
    /// line feed; filters, keywords, encodings, and explicit line ends do not.
    /// </summary>
    public static bool InAttributes(string text) => !Array.Exists(Converting, word => text.Contains(word, StringComparison.OrdinalIgnoreCase));

    /// <summary>Which trusted setting changes bytes, or files, on the way to disk; null when none does. Filters matter only where attributes name them.</summary>
    public static string? WhyNot(IEnumerable<KeyValuePair<string, string>> settings)
    {
        foreach ((string key, string value) in settings)
        {
            bool isPlain = key switch
            {
                "core.autocrlf" => value is "false" or "input",
                "core.eol" => value is "lf",
                "core.symlinks" => value is "true",
                "core.ignorecase" => value is "false",
                "core.precomposeunicode" => value is "false",
                _ => true,
            };
            if (!isPlain)
            {
                return $"{key} is {value}";
            }
        }

        return null;
    }
}
