namespace WorktreePool.Git.Worktree;

/// <summary>The paths of an index: files, the directories above them, and submodules.</summary>
internal sealed class TrackedPaths
{
    private const string Attributes = ".gitattributes";

    private readonly HashSet<string> _files = new(StringComparer.Ordinal);
    private readonly HashSet<string> _directories = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _submodules = new(StringComparer.Ordinal);

    /// <summary>The submodules: for each path the commit that is recorded there.</summary>
    public IReadOnlyDictionary<string, string> Submodules => _submodules;

    /// <summary>Whether a <c>.gitattributes</c> is tracked, in whatever directory.</summary>
    public bool HasAttributes => _files.Any(static file => file.EndsWith(Attributes, StringComparison.Ordinal) && (file.Length == Attributes.Length || file[^(Attributes.Length + 1)] == '/'));

    /// <param name="path">A path in the index.</param>
    /// <param name="submodule">The recorded commit, for a submodule; null for a file or link.</param>
    public void Add(string path, string? submodule)
    {
        if (submodule is not null)
        {
            _submodules[path] = submodule;
            _directories.Add(path);
        }
        else
        {
            _files.Add(path);
        }

        for (int slash = path.LastIndexOf('/'); slash > 0 && _directories.Add(path[..slash]); slash = path.LastIndexOf('/', slash - 1))
        {
        }
    }

    public bool IsFile(string path) => _files.Contains(path);

    public bool IsDirectory(string path) => _directories.Contains(path);

    public bool IsSubmodule(string path) => _submodules.ContainsKey(path);
}
