using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using WorktreePool.Git.Cli.Isolated;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli;

/// <summary>
/// Keeps a slot's work as a commit: its files as they lie there, what was staged, commits that nothing else keeps, and the same of repositories
/// inside of it. Ignored files, and what set-up steps make, are not work. The id follows from the content, so a repeated rescue is the same rescue. What cannot be read is
/// moved aside, not destroyed.
/// </summary>
internal sealed class RescueMaker(
    AdminDirectory admins, WorktreeGit git, RepositoryRefs refs, TrustedIndex trusted, FileSnapshot snapshot, EmbeddedRescuer embedded, DurableObjects durable, ObjectStore objects, KeptCommits? kept, IReadOnlyList<string> made)
{
    public async ValueTask<Rescue?> RescueAsync(SlotPlace place, RescueRequest request, CancellationToken cancellationToken)
    {
        Pipes.SetAside(git.Repository);
        GitWorktree tree = git.Of(place, admins.NameFor(place));

        Pipes.RemoveBelow(Path.Combine(tree.Directory, "modules"));

        // What is missing cannot be compared with; a repair touches no slot.
        await objects.RepairAsync(request.Base, cancellationToken).ConfigureAwait(false);
        try
        {
            return await FindAndKeepAsync(place, tree, request, cancellationToken).ConfigureAwait(false);
        }
        catch (GitBackendException) when (objects.SetRubbishAside() | objects.SetUnreadableAside(cancellationToken))
        {
            // A rescue that a power loss interrupted leaves files in the place of objects that are empty or hold less, and git does not write again what seems to be there.
            return await FindAndKeepAsync(place, tree, request, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask<Rescue?> FindAndKeepAsync(SlotPlace place, GitWorktree tree, RescueRequest request, CancellationToken cancellationToken)
    {
        string? head = admins.ReadHead(Path.GetFileName(tree.Directory)) is { } text
            ? await refs.ResolveAsync(text.StartsWith("ref: ", StringComparison.Ordinal) ? text[5..] : text, cancellationToken).ConfigureAwait(false)
            : null;
        var work = new Work(head ?? request.Base);
        if (request.Branch is { } branch && await refs.ResolveAsync($"refs/heads/{branch}", cancellationToken).ConfigureAwait(false) is { } tip && tip != work.Parents[0])
        {
            work.Parents.Add(tip);
        }

        work.Commits = await CountUnreachableAsync(work.Parents, request, cancellationToken).ConfigureAwait(false);
        string scratch = admins.ScratchFor(Path.GetFileName(tree.Directory), "rescue");
        Directory.CreateDirectory(scratch);
        CrashPoint.Reached("rescue directory made");
        try
        {
            work.ParentTree = work.Tree = await TreeOfAsync(tree, work.Parents[0], cancellationToken).ConfigureAwait(false);
            if (SafeFile.IsRealDirectory(place.Path))
            {
                await KeepFilesAsync(tree, work, Path.Combine(scratch, "files"), cancellationToken).ConfigureAwait(false);
            }

            string? staged = await WriteStagedAsync(tree, Path.Combine(scratch, "staged"), cancellationToken).ConfigureAwait(false);
            work.Staged = staged == work.Tree || staged == work.ParentTree ? null : staged;
            return work.IsNothing ? null : await KeepAsync(tree, place.Slot, request, work, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            TreeRemoval.Remove(scratch);
        }
    }

    /// <summary>What was found to be kept.</summary>
    private sealed class Work(string parent)
    {
        public List<string> Parents { get; } = [parent];

        /// <summary>Those of the parents that came with a pack.</summary>
        public List<string> Packed { get; } = [];

        public string ParentTree { get; set; } = "";

        public string Tree { get; set; } = "";

        public string? Staged { get; set; }

        public int Commits { get; set; }

        public List<string> Unreadable { get; set; } = [];

        public bool IsNothing => Tree == ParentTree && Staged is null && Commits == 0 && Unreadable.Count == 0;
    }

    /// <summary>The tree of the slot's files as they lie there.</summary>
    private async ValueTask KeepFilesAsync(GitWorktree tree, Work work, string index, CancellationToken cancellationToken)
    {
        // The tree that the index begins with.
        string? before = work.ParentTree;
        if (git.Sparse.IsSparse)
        {
            // What the slot does not have is as in the parent, whatever the holder checked out or committed.
            await git.RunAsideAsync(tree, index, cancellationToken, "read-tree", work.Parents[0]).ConfigureAwait(false);
            await snapshot.HideAsync(tree, index, cancellationToken).ConfigureAwait(false);
        }
        else if (trusted.FindWhole(tree.Key) is { } known)
        {
            // Only what has changed since the pool wrote the files is read.
            TrustedIndex.CopyTo(known, index);
            before = TrustedIndex.CommitOf(known) == work.Parents[0] ? before : null;
        }
        else
        {
            await git.RunAsideAsync(tree, index, cancellationToken, "read-tree", work.Parents[0]).ConfigureAwait(false);
        }

        before ??= (await git.RunAsideAsync(tree, index, cancellationToken, "write-tree").ConfigureAwait(false)).Line;
        FileSnapshot.Changes found = await snapshot.FindAsync(tree, index, made, cancellationToken).ConfigureAwait(false);
        HashSet<string> files = [.. found.Files];
        if (before != work.ParentTree)
        {
            // What the holder committed, whether or not it would be ignored now.
            files.UnionWith(await DiffAsync(tree, before, work.ParentTree, cancellationToken).ConfigureAwait(false));
        }

        Dictionary<string, string> gitlinks = await ReadGitlinksAsync(tree, index, cancellationToken).ConfigureAwait(false);
        var paths = new RealPaths(tree.Path);
        files.ExceptWith(gitlinks.Keys.Where(path => !paths.IsOwn(path) || !FileSnapshot.IsPresent(Path.Combine(tree.Path, path))));
        work.Unreadable.AddRange(found.Unreachable);
        work.Unreadable.AddRange(await snapshot.AddAsync(tree, index, files, cancellationToken).ConfigureAwait(false));
        foreach (string path in found.Repositories.Union(gitlinks.Keys.Where(path => paths.IsDirectory(path) && Directory.EnumerateFileSystemEntries(Path.Combine(tree.Path, path)).Any())))
        {
            string? recorded = gitlinks.GetValueOrDefault(path);
            var inside = EmbeddedRepository.Find(tree.Path, path, Path.Combine(tree.Directory, "modules"));
            work.Unreadable.AddRange(await embedded.KeepFilesAsync(tree, inside, index, recorded, cancellationToken).ConfigureAwait(false));
            (List<string> tips, int commits) = await embedded.KeepCommitsAsync(tree, inside, recorded, cancellationToken).ConfigureAwait(false);
            work.Parents.AddRange(tips);
            work.Packed.AddRange(tips);
            work.Commits += commits;
        }

        work.Tree = (await git.RunAsideAsync(tree, index, cancellationToken, "write-tree").ConfigureAwait(false)).Line;
    }

    /// <summary>The submodules in an index, with the commits recorded there.</summary>
    private async ValueTask<Dictionary<string, string>> ReadGitlinksAsync(GitWorktree tree, string index, CancellationToken cancellationToken)
    {
        if (!SafeFile.Exists(Path.Combine(tree.Path, ".gitmodules")))
        {
            return [];
        }

        GitResult listed = await git.RunAsideAsync(tree, index, cancellationToken, "ls-files", "-s", "-z").ConfigureAwait(false);
        return listed.Fields.Where(line => line.StartsWith("160000 ", StringComparison.Ordinal))
            .ToDictionary(line => line[(line.IndexOf('\t', StringComparison.Ordinal) + 1)..], line => line.Split(' ')[1], StringComparer.Ordinal);
    }

    private async ValueTask<IEnumerable<string>> DiffAsync(GitWorktree tree, string from, string to, CancellationToken cancellationToken) =>
        (await git.RunOnObjectsAsync(tree.Slot, None, ["diff-tree", "-r", "--name-only", "--no-renames", "-z", from, to], cancellationToken).ConfigureAwait(false)).Fields;

    private async ValueTask<string> TreeOfAsync(GitWorktree tree, string commit, CancellationToken cancellationToken) =>
        (await git.RunOnObjectsAsync(tree.Slot, None, ["rev-parse", "--verify", commit + "^{tree}"], cancellationToken).ConfigureAwait(false)).Line;

    private static readonly Dictionary<string, string> None = [];

    private async ValueTask<Rescue> KeepAsync(GitWorktree tree, string slot, RescueRequest request, Work work, CancellationToken cancellationToken)
    {
        string identity = string.Join('\n', [slot, work.Tree, work.Staged ?? "", .. work.Parents, .. work.Unreadable]);
        string id = $"{slot}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(identity)))[..12]}";
        int files = (await DiffAsync(tree, work.ParentTree, work.Tree, cancellationToken).ConfigureAwait(false)).Count();
        string date = $"{request.At.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture)} +0000";
        var author = new Dictionary<string, string>
        {
            ["GIT_AUTHOR_NAME"] = "WorktreePool",
            ["GIT_AUTHOR_EMAIL"] = "worktree-pool@localhost",
            ["GIT_AUTHOR_DATE"] = date,
            ["GIT_COMMITTER_NAME"] = "WorktreePool",
            ["GIT_COMMITTER_EMAIL"] = "worktree-pool@localhost",
            ["GIT_COMMITTER_DATE"] = date,
        };
        List<string> staged = [];
        if (work.Staged is not null)
        {
            staged.Add((await git.RunOnObjectsAsync(tree.Slot, author, ["commit-tree", work.Staged, "-p", work.Parents[0], "-m", $"What was staged in {slot}"], cancellationToken).ConfigureAwait(false)).Line);
        }

        var rescue = new Rescue
        {
            Id = id,
            Ref = RepositoryRefs.RescuePrefix + id,
            Commit = "",
            Key = request.Key,
            Slot = slot,
            At = request.At,
            Files = files,
            Commits = work.Commits,
            Reason = request.Reason,
            Aside = work.Unreadable.Count == 0 ? null : Path.Combine(Path.GetDirectoryName(tree.Path)!, ".kept", id),
        };
        string commit = (await git.RunOnObjectsAsync(
            tree.Slot, author, ["commit-tree", work.Tree, .. work.Parents.Concat(staged).Distinct().SelectMany(parent => new[] { "-p", parent }), "-m", RescueMessage.Write(rescue)], cancellationToken).ConfigureAwait(false)).Line;
        if (await durable.TryPackAsync(tree.Slot, admins.ScratchFor(Path.GetFileName(tree.Directory), "pack"), [commit, .. staged], [request.Base, .. work.Packed], cancellationToken).ConfigureAwait(false) is { } damage)
        {
            throw new GitBackendException($"The work in {tree.Slot} could not be kept: what was written of it cannot be read again ({damage}). Nothing was destroyed. Look at the repository with git fsck.");
        }

        // The same content from the same slot may be kept already, only under another time.
        rescue = rescue with { Commit = await refs.KeepAsync(rescue.Ref, commit, cancellationToken).ConfigureAwait(false) };
        kept?.Add(rescue);
        if (rescue.Aside is { } aside)
        {
            // After the rescue can be listed: nothing would tell of what a process that is killed in between has moved.
            UnreadableFiles.MoveTo(aside, tree, work.Unreadable);
        }

        return rescue;
    }

    /// <summary>How many commits nothing but the slot and the lease's own branch keeps.</summary>
    private async ValueTask<int> CountUnreachableAsync(List<string> tips, RescueRequest request, CancellationToken cancellationToken)
    {
        if (kept is not null)
        {
            return await kept.LearnAndCountOthersAsync(tips, request.Base, cancellationToken).ConfigureAwait(false) ?? tips.Count(tip => tip != request.Base);
        }

        // Without --single-worktree, --all would take the slot's own HEAD, too, for something that keeps its commits.
        List<string> arguments = ["rev-list", "--count", .. tips, "--not", "--single-worktree"];
        if (request.Branch is not null)
        {
            arguments.Add($"--exclude=refs/heads/{request.Branch}");
        }

        GitResult counted = await refs.TryRunAsync(cancellationToken, [.. arguments, "--all"]).ConfigureAwait(false);

        // A ref that names nothing any more, of whoever it is, keeps git from counting; then better one rescue too many.
        return counted.Succeeded ? int.Parse(counted.Line, CultureInfo.InvariantCulture) : tips.Count(tip => tip != request.Base);
    }

    /// <summary>Whether a file begins as an index does: of what is none, however large, no copy is made.</summary>
    private static bool IsIndex(string path)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            Span<byte> signature = stackalloc byte[4];
            return file.ReadAtLeast(signature, signature.Length, throwOnEndOfStream: false) == signature.Length && signature.SequenceEqual("DIRC"u8);
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>The tree of the slot's own index; null when it is unreadable or has conflicts, and then the files tell all.</summary>
    private async ValueTask<string?> WriteStagedAsync(GitWorktree tree, string index, CancellationToken cancellationToken)
    {
        if (!SafeFile.IsRealFile(tree.Index) || !IsIndex(tree.Index))
        {
            return null;
        }

        File.Copy(tree.Index, index);
        CrashPoint.Reached("staged index copied");
        GitResult written = await git.TryRunAsideAsync(tree, index, cancellationToken, "write-tree").ConfigureAwait(false);
        return written.Succeeded ? written.Line : null;
    }
}
