using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli;

/// <summary>
/// Compares a worktree's index with a commit and its files with the trusted index, by git's read-only plumbing, and finds everything git hides
/// by an own walk. The same for a slot and for a submodule in one. Changes nothing.
/// </summary>
internal sealed class WorktreeProber(WorktreeGit git, TrustedIndex trusted, KeepPatterns keep)
{
    /// <summary>So many paths are named in a finding; the rest is counted.</summary>
    private const int NamedPaths = 3;

    /// <summary>Adds what is wrong with index and files.</summary>
    /// <returns>What the index tracks; null when it cannot be read.</returns>
    public async ValueTask<TrackedPaths?> ExamineAsync(GitWorktree tree, string commit, List<Finding> findings, CancellationToken cancellationToken)
    {
        Task<GitResult> staged = git.TryRunAsync(
            tree, cancellationToken, "diff-index", "--cached", "--name-only", "--no-renames", "--ignore-submodules=dirty", "-z", commit).AsTask();
        using var held = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<GitResult?> changed = FindChangedAsync(tree, commit, held.Token);
        TrackedPaths? tracked = await ReadIndexAsync(tree, findings, cancellationToken).ConfigureAwait(false);
        List<string> odd = [];
        if (tracked is not null)
        {
            TreeFacts facts = TreeWalk.Run(tree.Path, tracked, keep, cancellationToken);
            Add(findings, FindingIds.Untracked, facts.Untracked);
            Add(findings, FindingIds.NotWritable, facts.NotWritable);
            odd = facts.Odd;
            var paths = new RealPaths(tree.Path);
            List<string> holding = [.. tracked.Submodules.Keys.Where(path => paths.IsDirectory(path) && GitFiles.HoldsIn(Path.Combine(tree.Path, path)))];
            Add(findings, FindingIds.SubmoduleDiffers, holding);
            if (facts.Holds || holding.Count > 0)
            {
                // It waits there, or would.
                await held.CancelAsync().ConfigureAwait(false);
            }
        }

        Report(await staged.ConfigureAwait(false), FindingIds.IndexDiffers);
        if (held.IsCancellationRequested)
        {
            await ((Task)changed).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
            Add(findings, FindingIds.TreeDiffers, odd);
            return tracked;
        }

        if (await changed.ConfigureAwait(false) is { } files)
        {
            IReadOnlyDictionary<string, string> unstable = trusted.ReadUnstable(tree.Key);
            Report(files, FindingIds.TreeDiffers, path => unstable.TryGetValue(path, out string? hash) && !odd.Contains(path) && SafeFile.Hash(Path.Combine(tree.Path, path)) == hash, odd);
        }
        else
        {
            Add(findings, FindingIds.TreeDiffers, odd);
            findings.Add(new Finding(FindingIds.IndexUntrusted, "the pool knows no index of its own for these files, so each must be compared"));
        }

        return tracked;

        void Report(GitResult result, string id, Func<string, bool>? isFine = null, IReadOnlyList<string>? besides = null)
        {
            if (!result.Succeeded)
            {
                findings.Add(new Finding(IsAboutObjects(result.Error) ? FindingIds.ObjectsMissing : FindingIds.IndexBroken, result.Error.Trim()));
            }
            else
            {
                Add(findings, id, [.. result.Fields.Where(path => isFine?.Invoke(path) != true).Union(besides ?? [])]);
            }
        }
    }

    /// <summary>The paths in a worktree's index, and what is hidden in it; null when it cannot be read.</summary>
    public async ValueTask<TrackedPaths?> ReadIndexAsync(GitWorktree tree, List<Finding>? findings, CancellationToken cancellationToken)
    {
        if (!SafeFile.IsRealFile(tree.Index))
        {
            findings?.Add(new Finding(FindingIds.IndexBroken, "there is no index"));
            return null;
        }

        GitResult listed = await git.TryRunAsync(tree, cancellationToken, "ls-files", "-s", "-v", "-z").ConfigureAwait(false);
        if (!listed.Succeeded)
        {
            findings?.Add(new Finding(FindingIds.IndexBroken, listed.Error.Trim()));
            return null;
        }

        var tracked = new TrackedPaths();
        List<string> hidden = [], unmerged = [];
        foreach (string line in listed.Fields)
        {
            // "H 100644 <id> 0\tpath"; see git-ls-files(1), -v and -s.
            int tab = line.IndexOf('\t', StringComparison.Ordinal);
            string path = line[(tab + 1)..];
            bool isWanted = !tree.IsSlot || git.Sparse.Includes(path);
            if (isWanted)
            {
                tracked.Add(path, line.AsSpan(2).StartsWith("160000", StringComparison.Ordinal) ? line[9..(tab - 2)] : null);
            }

            if (line[tab - 1] != '0')
            {
                unmerged.Add(path);
            }
            else if (line[0] != (isWanted ? 'H' : 'S'))
            {
                hidden.Add(path);
            }
        }

        Add(findings, FindingIds.IndexHidden, hidden);
        Add(findings, FindingIds.IndexDiffers, unmerged);
        return tracked;
    }

    /// <summary>Whether git complains of objects, not of an index.</summary>
    public static bool IsAboutObjects(string error) =>
        error.Contains("unable to read", StringComparison.Ordinal) || error.Contains("bad object", StringComparison.Ordinal) || error.Contains("missing", StringComparison.Ordinal);

    public static void Add(List<Finding>? findings, string id, IReadOnlyCollection<string> paths)
    {
        if (paths.Count > 0)
        {
            string more = paths.Count > NamedPaths ? $" and {paths.Count - NamedPaths} more" : "";
            findings?.Add(new Finding(id, string.Join(", ", paths.Take(NamedPaths)) + more));
        }
    }

    /// <summary>The files that are not as the trusted index has them; null when there is none for the commit, nor for the one before it.</summary>
    private async Task<GitResult?> FindChangedAsync(GitWorktree tree, string commit, CancellationToken cancellationToken)
    {
        if (trusted.FindWhole(tree.Key, commit) is not { } index)
        {
            return null;
        }

        // Submodules have a probe of their own: git's would run what their config says.
        GitResult result = await git.TryRunWithIndexAsync(tree, index, cancellationToken, "diff-files", "--name-only", "--ignore-submodules=all", "-z").ConfigureAwait(false);
        return result.Succeeded || IsAboutObjects(result.Error) ? result : null;
    }
}
