using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli;

/// <summary>
/// Makes a worktree's index and files those of a commit, and keeps the index as the trusted one. Links and git directory are right already.
/// The same for a slot and for a submodule in one.
/// </summary>
internal sealed class WorktreeMaker(Baseline baseline, WorktreeGit git, WorktreeProber prober, TrustedIndex trusted, KeepPatterns keep)
{
    /// <summary>Of the commit that a slot was made at last. Slots are made one after the other at the same one, and to list its index takes a twentieth of what it takes to make one.</summary>
    private volatile Listing? _last;

    /// <summary>Makes them.</summary>
    /// <returns>The submodules: for each path the commit that is recorded there.</returns>
    public async ValueTask<IReadOnlyDictionary<string, string>> MakeAsync(GitWorktree tree, string commit, CancellationToken cancellationToken)
    {
        if (await RecallIndexAsync(tree, cancellationToken).ConfigureAwait(false) is { } known)
        {
            Clean(tree.Path, known, cancellationToken);
            if (!MayConvert(known.HasAttributes))
            {
                // Files that were only touched keep their times. Where contents are converted, git would take other bytes for the same.
                await git.TryRunAsync(tree, cancellationToken, "update-index", "-q", "--refresh").ConfigureAwait(false);
            }
        }
        else if (IsEmpty(tree.Path))
        {
            // There is no file to compare; the directory itself may be closed all the same.
            Clean(tree.Path, new TrackedPaths(), cancellationToken);
            TreeRemoval.Remove(tree.Index);
        }
        else
        {
            TreeRemoval.Remove(tree.Index);
            await git.RunAsync(tree, cancellationToken, "read-tree", commit).ConfigureAwait(false);
            TrackedPaths wanted = await ReadIndexAsync(tree, commit, cancellationToken).ConfigureAwait(false);

            // Before any file is looked at: a directory that is a link would lead to files elsewhere.
            Clean(tree.Path, wanted, cancellationToken);
            await CompareFilesAsync(tree, wanted, cancellationToken).ConfigureAwait(false);
        }

        // Writes every file whose status is not the one in the index, and no other.
        await git.RunAsync(tree, cancellationToken, "read-tree", "--reset", "-u", commit).ConfigureAwait(false);
        Listing listing = await ListAsync(tree, commit, cancellationToken).ConfigureAwait(false);
        trusted.Keep(tree.Key, commit, tree.Index, await FindUnstableAsync(tree, listing.HasAttributes, cancellationToken).ConfigureAwait(false));
        return listing.Submodules;
    }

    /// <summary>What is in an index that was just made from a commit: the same in every slot.</summary>
    private async ValueTask<Listing> ListAsync(GitWorktree tree, string commit, CancellationToken cancellationToken)
    {
        if (tree.IsSlot && _last is { } last && last.Commit == commit)
        {
            return last;
        }

        TrackedPaths tracked = await ReadIndexAsync(tree, commit, cancellationToken).ConfigureAwait(false);
        var listing = new Listing(commit, tracked.HasAttributes, tracked.Submodules);
        if (tree.IsSlot)
        {
            _last = listing;
        }

        return listing;
    }

    /// <summary>Whether nothing is seen in it but the link to its git directory, as in a slot that is new.</summary>
    private static bool IsEmpty(string path)
    {
        try
        {
            return Directory.EnumerateFileSystemEntries(path).All(entry => Path.GetFileName(entry) == ".git");
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Files that git calls changed right after it has written them, for example a large file that was committed without git-lfs.</summary>
    private async ValueTask<Dictionary<string, string>> FindUnstableAsync(GitWorktree tree, bool hasAttributes, CancellationToken cancellationToken)
    {
        Dictionary<string, string> unstable = [];
        if (MayConvert(hasAttributes))
        {
            GitResult changed = await git.RunAsync(tree, cancellationToken, "diff-files", "--name-only", "--ignore-submodules=all", "-z").ConfigureAwait(false);
            foreach (string path in changed.Fields)
            {
                if (SafeFile.Hash(Path.Combine(tree.Path, path)) is { } hash)
                {
                    unstable[path] = hash;
                }
            }
        }

        return unstable;
    }

    /// <summary>Puts the trusted index in the place of the present one; null when there is none that can be read.</summary>
    private async ValueTask<TrackedPaths?> RecallIndexAsync(GitWorktree tree, CancellationToken cancellationToken)
    {
        if (trusted.FindWhole(tree.Key) is not { } index)
        {
            return null;
        }

        if (!SafeFile.IsRealFile(tree.Index))
        {
            TreeRemoval.Remove(tree.Index);
        }

        TrustedIndex.CopyTo(index, tree.Index);
        if (await prober.ReadIndexAsync(tree, null, cancellationToken).ConfigureAwait(false) is { } tracked)
        {
            return tracked;
        }

        trusted.Forget(tree.Key);
        return null;
    }

    private async ValueTask<TrackedPaths> ReadIndexAsync(GitWorktree tree, string commit, CancellationToken cancellationToken) =>
        await prober.ReadIndexAsync(tree, null, cancellationToken).ConfigureAwait(false)
            ?? throw new GitBackendException($"The index of {tree.Path} that was made from {commit} cannot be read. The next claim makes it anew.");

    /// <summary>Notes the status of every file that has the right bytes: each is read once, and only what differs is written again.</summary>
    private async ValueTask CompareFilesAsync(GitWorktree tree, TrackedPaths tracked, CancellationToken cancellationToken)
    {
        await git.TryRunAsync(tree, cancellationToken, "update-index", "-q", "--really-refresh").ConfigureAwait(false);
        List<string> odd = await OddLineEndsAsync(tree, tracked, cancellationToken).ConfigureAwait(false);
        foreach (string path in odd.Concat(await FilteredAsync(tree, tracked, cancellationToken).ConfigureAwait(false)))
        {
            TreeRemoval.Remove(Path.Combine(tree.Path, path));
        }
    }

    /// <summary>Files whose line ends are not what their attributes make of them, although they clean to the right blob and git takes them for equal.</summary>
    private async ValueTask<List<string>> OddLineEndsAsync(GitWorktree tree, TrackedPaths tracked, CancellationToken cancellationToken)
    {
        List<string> odd = [];
        if (!MayConvert(tracked.HasAttributes))
        {
            return odd;
        }

        // -C: of all listings only this one looks for the files from the current directory.
        GitResult listed = await git.RunAsync(tree, cancellationToken, "-C", tree.Path, "ls-files", "--eol", "-z").ConfigureAwait(false);
        foreach (string line in listed.Fields)
        {
            // "i/lf    w/crlf  attr/text=auto eol=crlf \tpath"; see git-ls-files(1), --eol.
            int tab = line.IndexOf('\t', StringComparison.Ordinal);
            string[] fields = line[..tab].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            string stored = fields[0][2..], present = fields[1][2..], attributes = string.Join(' ', fields[2..]);
            string wanted = attributes.Contains("eol=crlf", StringComparison.Ordinal) ? "crlf" : "lf";
            if (stored == "lf" && attributes.Contains("attr/text", StringComparison.Ordinal) && present.Length > 0 && present != wanted)
            {
                odd.Add(line[(tab + 1)..]);
            }
        }

        return odd;
    }

    /// <summary>
    /// Files under a filter: many contents clean to one blob, among them what was written without the filter (a pointer of git-lfs), and git takes
    /// all of them for equal.
    /// </summary>
    private async ValueTask<IEnumerable<string>> FilteredAsync(GitWorktree tree, TrackedPaths tracked, CancellationToken cancellationToken)
    {
        if (!baseline.Current.Checkout.Exists(setting => setting.Key.StartsWith("filter.", StringComparison.Ordinal)) || !tracked.HasAttributes)
        {
            return [];
        }

        GitResult listed = await git.RunAsync(tree, cancellationToken, "ls-files", "-z").ConfigureAwait(false);
        GitResult attributes = await git.RunAsync(tree, listed.Output, cancellationToken, "check-attr", "--cached", "-z", "--stdin", "filter").ConfigureAwait(false);

        // Path, "filter", and its name; see git-check-attr(1), -z.
        return attributes.Fields.Chunk(3).Where(fields => fields.Length == 3 && fields[2] is not ("unspecified" or "unset" or "set")).Select(fields => fields[0]);
    }

    /// <summary>Whether a file can have other bytes than its blob and be the right one: by attributes, or by settings the user trusts.</summary>
    private bool MayConvert(bool hasAttributes) =>
        hasAttributes || baseline.Current.Checkout.Exists(setting => setting.Key is "core.autocrlf" or "core.eol" && setting.Value is not ("false" or "lf"));

    /// <summary>
    /// Removes everything that is not tracked and not kept, and of what is tracked what git would take for equal by its bytes, or would wait at for ever.
    /// </summary>
    private void Clean(string path, TrackedPaths tracked, CancellationToken cancellationToken)
    {
        TreeFacts facts = TreeWalk.Run(path, tracked, keep, cancellationToken);
        if (facts.NotWritable.Count > 0)
        {
            foreach (string directory in facts.NotWritable)
            {
                TreeRemoval.MakeOrdinary(Path.Combine(path, directory), path);
            }

            // What was below a closed directory was not seen.
            facts = TreeWalk.Run(path, tracked, keep, cancellationToken);
        }

        foreach (string untracked in facts.Untracked.Union(facts.Odd))
        {
            cancellationToken.ThrowIfCancellationRequested();
            TreeRemoval.Remove(Path.Combine(path, untracked));
        }
    }

    /// <param name="Commit">The commit.</param>
    /// <param name="HasAttributes">Whether a <c>.gitattributes</c> is in it.</param>
    /// <param name="Submodules">For each path the commit that is recorded there.</param>
    private sealed record Listing(string Commit, bool HasAttributes, IReadOnlyDictionary<string, string> Submodules);
}
