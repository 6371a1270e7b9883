using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli.Isolated;

/// <summary>A file of an isolated repository.</summary>
/// <param name="Path">Relative to it, with slashes.</param>
/// <param name="Content">What it holds.</param>
/// <param name="IsExecutable">Whether git runs it.</param>
internal sealed record IsolatedFile(string Path, string Content, bool IsExecutable = false)
{
    private UnixFileMode Mode
    {
        get
        {
            const UnixFileMode Plain = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
            return IsExecutable ? Plain | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute : Plain;
        }
    }

    /// <summary>Whether it is at a path, byte for byte and mode for mode.</summary>
    public bool IsAt(string path) => SafeFile.TryRead(path) == Content && (OperatingSystem.IsWindows() || File.GetUnixFileMode(path) == Mode);

    /// <summary>Writes it where nothing is.</summary>
    public void Write(string path)
    {
        SafeFile.Write(path, Content);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, Mode);
        }
    }
}

/// <summary>What an isolated repository is made of, apart from objects and refs. It follows from the baseline alone.</summary>
internal static class IsolatedFiles
{
    /// <summary>Where objects are borrowed from, as git reads it; see gitrepository-layout(5).</summary>
    public const string Alternates = "objects/info/alternates";

    /// <summary>The directories that are always there.</summary>
    public static readonly IReadOnlyList<string> Directories = ["hooks", "info", "objects", "objects/info", "objects/pack", "refs", "refs/heads", "refs/tags", "worktrees", "worktree-pool"];

    /// <summary>What else may be there: git makes it, and its content is checked elsewhere or is of no consequence.</summary>
    public static readonly IReadOnlySet<string> Others = new HashSet<string>(StringComparer.Ordinal) { "packed-refs", "logs", "lfs" };

    /// <summary>The files.</summary>
    public static IEnumerable<IsolatedFile> Of(BaselineDocument baseline)
    {
        // No branch is the repository's own, so that none is "checked out" there.
        yield return new IsolatedFile("HEAD", "ref: refs/heads/none\n");
        yield return new IsolatedFile("config", baseline.Config);
        yield return new IsolatedFile(RefOwners.HookPath, RefOwners.Hook, IsExecutable: true);
        if (baseline.Isolation?.IsSparse == true)
        {
            yield return new IsolatedFile("config.worktree", "[core]\n\tbare = true\n");
        }

        if (baseline.Isolation?.Borrowed is { } borrowed && Directory.Exists(borrowed))
        {
            // Of a clone that is gone git would complain at every call; what was borrowed is then fetched.
            yield return new IsolatedFile(Alternates, borrowed + "\n");
        }
    }
}
