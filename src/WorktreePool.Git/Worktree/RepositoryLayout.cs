namespace WorktreePool.Git.Worktree;

/// <summary>Where a repository's parts lie. Found by reading files, never by letting git discover: a broken link must not lead to an outer repository.</summary>
/// <param name="CommonDirectory">The common git directory, absolute.</param>
internal sealed record RepositoryLayout(string CommonDirectory)
{
    /// <summary>The directory of an isolated pool's repository, in the pool's own.</summary>
    public const string IsolatedName = "repository.git";

    /// <summary>Whether it is the pool's own, and not a user's.</summary>
    public bool IsIsolated { get; private init; }

    public string Worktrees => Path.Combine(CommonDirectory, "worktrees");

    public string Objects => Path.Combine(CommonDirectory, "objects");

    public string Config => Path.Combine(CommonDirectory, "config");

    /// <summary>The pool's own corner of the common directory: on the same file system as the admin directories, so that renames are atomic.</summary>
    public string Scratch => Path.Combine(CommonDirectory, "worktree-pool");

    /// <summary>Where packs that git cannot open are set aside.</summary>
    public string Damaged => Path.Combine(Scratch, "damaged");

    /// <summary>The repository that a pool's slots belong to. One of the pool's own need not be there yet.</summary>
    /// <exception cref="GitBackendException">There is no usable repository of the user's.</exception>
    public static RepositoryLayout Of(WorktreePoolOptions options) => options.Isolated
        ? new RepositoryLayout(Path.Combine(options.PoolDirectory, IsolatedName)) { IsIsolated = true }
        : Find(options.RepositoryPath);

    /// <summary>Finds the layout.</summary>
    /// <param name="path">A main checkout, its git directory, or a linked worktree.</param>
    /// <param name="mayBeBare">Whether a bare repository will do, too.</param>
    /// <exception cref="GitBackendException">There is no usable repository.</exception>
    public static RepositoryLayout Find(string path, bool mayBeBare = false)
    {
        string dotGit = Path.Combine(path, ".git");
        if (Directory.Exists(dotGit))
        {
            return Check(dotGit, path);
        }

        if (File.Exists(dotGit))
        {
            string link = File.ReadAllText(dotGit).Trim();
            const string Prefix = "gitdir: ";
            string admin = link.StartsWith(Prefix, StringComparison.Ordinal) ? Path.GetFullPath(link[Prefix.Length..], path) : "";
            string common = Path.Combine(admin, "commondir");
            if (File.Exists(common))
            {
                return Check(Path.GetFullPath(File.ReadAllText(common).Trim(), admin), path);
            }
        }

        if (LooksLikeGitDirectory(path))
        {
            return mayBeBare || Path.GetFileName(path) == ".git"
                ? Check(path, path)
                : throw new GitBackendException($"{path} is a bare repository: it has no checkout whose worktrees could be pooled. Nothing was changed. Name a clone of it.");
        }

        throw new GitBackendException(Directory.Exists(path)
            ? $"{path} is no git repository. Nothing was changed. Name the directory that holds .git."
            : $"The repository {path} does not exist. Nothing was changed.");
    }

    /// <summary>
    /// The full names that a name of a person's may mean, the first that exists counts. A tracking ref comes before a branch or tag of the same name: those
    /// shadow it only by accident or malice. A repository of the pool's own has no branches: one that a person names is the remote's.
    /// </summary>
    public IEnumerable<string> NamesOf(string name)
    {
        List<string> names = name.StartsWith("refs/", StringComparison.Ordinal) ? [name] : [$"refs/remotes/{name}", $"refs/heads/{name}", $"refs/tags/{name}"];
        if (IsIsolated)
        {
            const string Branch = "refs/heads/";
            names.Add($"refs/remotes/origin/{(name.StartsWith(Branch, StringComparison.Ordinal) ? name[Branch.Length..] : name)}");
        }

        return names;
    }

    /// <summary>Where a person sees the repository: its checkout, or itself when it is bare.</summary>
    public string Checkout => Path.GetFileName(CommonDirectory) == ".git" ? Path.GetDirectoryName(CommonDirectory)! : CommonDirectory;

    /// <summary>A remote's URL as one that can be used from anywhere: a relative path in a config means from the checkout.</summary>
    public string AbsoluteUrl(string url) => url.StartsWith('.') || Directory.Exists(Path.Combine(Checkout, url)) ? Path.GetFullPath(url, Checkout) : url;

    private static RepositoryLayout Check(string common, string path) => LooksLikeGitDirectory(common)
        ? new RepositoryLayout(common)
        : throw new GitBackendException($"{path} has a .git, but {common} is no git directory (HEAD, objects or refs is missing). Nothing was changed.");

    private static bool LooksLikeGitDirectory(string path) =>
        File.Exists(Path.Combine(path, "HEAD")) && Directory.Exists(Path.Combine(path, "objects")) && Directory.Exists(Path.Combine(path, "refs"));
}
