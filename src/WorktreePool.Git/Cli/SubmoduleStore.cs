using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli;

/// <summary>
/// The objects of submodules, once for all slots: in the pool's corner of the common directory, borrowing from the user's own clone of the
/// submodule where there is one, and fetched from the trusted URL otherwise.
/// </summary>
internal sealed class SubmoduleStore(RepositoryLayout repository, string? clone, Baseline baseline, NeutralDirectory neutral, GitRunner git)
{
    /// <summary>The object directory of a submodule.</summary>
    public string ObjectsOf(string module) => Path.Combine(DirectoryOf(module), "objects");

    /// <summary>Whether a commit is there with its tree.</summary>
    public async ValueTask<bool> HasAsync(string module, string commit, CancellationToken cancellationToken) =>
        Directory.Exists(ObjectsOf(module))
        && (await git.TryRunAsync(Call(module, "cat-file", "-e", commit + "^{tree}"), cancellationToken).ConfigureAwait(false)).Succeeded;

    /// <summary>Gets a commit, if it is not there.</summary>
    /// <exception cref="GitBackendException">It can be had from nowhere.</exception>
    public async ValueTask EnsureAsync(Submodule submodule, CancellationToken cancellationToken)
    {
        string module = submodule.Module;
        neutral.Write(DirectoryOf(module));
        string alternates = Path.Combine(ObjectsOf(module), "info", "alternates");
        string borrowed = Path.Combine(clone ?? "", "modules", module, "objects");
        string wanted = clone is not null && Directory.Exists(borrowed) ? borrowed + "\n" : "";
        if ((SafeFile.TryRead(alternates) ?? "") != wanted)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(alternates)!);
            CrashPoint.Reached("submodule store made");
            SafeFile.Write(alternates, wanted);
        }

        if (await HasAsync(module, submodule.Commit, cancellationToken).ConfigureAwait(false))
        {
            return;
        }

        GitResult all = await FetchAsync(submodule, "+refs/heads/*:refs/heads/*", cancellationToken).ConfigureAwait(false);
        if (await HasAsync(module, submodule.Commit, cancellationToken).ConfigureAwait(false))
        {
            return;
        }

        GitResult one = await FetchAsync(submodule, submodule.Commit, cancellationToken).ConfigureAwait(false);
        if (!await HasAsync(module, submodule.Commit, cancellationToken).ConfigureAwait(false))
        {
            throw new GitBackendException(
                $"Submodule {submodule.Path}: commit {submodule.Commit} is neither in the repository nor to be had from {submodule.Url}: {(all.Succeeded ? one : all).Error.Trim().ReplaceLineEndings(" / ")}. The slot is not ready. Push the submodule's commit, or correct the URL and run worktree-pool trust.");
        }
    }

    /// <summary>The branches known of a submodule's remote, as lines of <c>packed-refs</c>.</summary>
    public async ValueTask<string> RemoteBranchesAsync(string module, CancellationToken cancellationToken) =>
        (await git.TryRunAsync(Call(module, "for-each-ref", "--format=%(objectname) refs/remotes/origin/%(refname:lstrip=2)", "refs/heads"), cancellationToken).ConfigureAwait(false)).Output;

    private string DirectoryOf(string module) => Path.Combine(repository.Scratch, "modules", module + ".git");

    private ValueTask<GitResult> FetchAsync(Submodule submodule, string refspec, CancellationToken cancellationToken) => git.TryRunAsync(
        Call(submodule.Module, "fetch", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance", "--no-write-fetch-head", "--force", "--end-of-options", submodule.Url, refspec).ToRemote(baseline.Current),
        cancellationToken);

    private GitCall Call(string module, params IReadOnlyList<string> arguments) => new(arguments)
    {
        Subject = repository.CommonDirectory,
        Environment = new Dictionary<string, string> { ["GIT_DIR"] = DirectoryOf(module) },
    };
}
