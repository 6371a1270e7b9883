namespace WorktreePool.Desync.Tests.Verification;

/// <summary>A repository's refs, read from their files: no git takes part, so a damaged config or ref hides none.</summary>
internal static class RefFiles
{
    /// <summary>Full name to content, as it stands in the loose file or else in packed-refs. The pool's own refs are left out.</summary>
    public static SortedDictionary<string, string> Read(string common)
    {
        SortedDictionary<string, string> refs = new(StringComparer.Ordinal);
        string packed = Path.Combine(common, "packed-refs");
        foreach (string line in File.Exists(packed) ? File.ReadAllLines(packed) : [])
        {
            if (line.Length > 41 && line[0] is not ('#' or '^'))
            {
                refs[line[41..]] = line[..40];
            }
        }

        foreach (string file in Directory.Exists(Path.Combine(common, "refs")) ? Directory.EnumerateFiles(Path.Combine(common, "refs"), "*", SearchOption.AllDirectories) : [])
        {
            if (!file.EndsWith(".lock", StringComparison.Ordinal))
            {
                refs[Path.GetRelativePath(common, file)] = File.ReadAllText(file).Trim();
            }
        }

        foreach (string own in refs.Keys.Where(name => name.StartsWith("refs/worktree-pool/", StringComparison.Ordinal)).ToList())
        {
            refs.Remove(own);
        }

        return refs;
    }
}
