using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli;

/// <summary>
/// Keeps a slot's work as a commit. Independent of the slot's own index, which may be damaged or lie: the files are added to an index of our own
/// over the HEAD they were based on. Ignored files are not work. The id follows from the content, so a repeated rescue is the same rescue.
/// </summary>
internal sealed class RescueMaker(RepositoryLayout repository, AdminDirectory admins, SlotGit slots, RepositoryRefs refs)
{
    public async ValueTask<Rescue?> RescueAsync(SlotPlace place, RescueRequest request, CancellationToken cancellationToken)
    {
        string admin = admins.NameFor(place);
        string? head = admins.ReadHead(admin) is { } text
            ? await refs.ResolveAsync(text.StartsWith("ref: ", StringComparison.Ordinal) ? text[5..] : text, cancellationToken).ConfigureAwait(false)
            : null;
        string parent = head ?? request.Base;
        List<string> parents = [parent];
        if (request.Branch is { } branch && await refs.ResolveAsync($"refs/heads/{branch}", cancellationToken).ConfigureAwait(false) is { } tip && tip != parent)
        {
            parents.Add(tip);
        }

        int commits = await CountUnreachableAsync(parents, request.Branch, cancellationToken).ConfigureAwait(false);
        string work = Path.Combine(repository.Scratch, $"rescue-{Guid.NewGuid():N}");
        Directory.CreateDirectory(work);
        try
        {
            string parentTree = (await slots.RunOnObjectsAsync(place, None, ["rev-parse", "--verify", parent + "^{tree}"], cancellationToken).ConfigureAwait(false)).Line;
            string tree = SafeFile.IsRealDirectory(place.Path)
                ? await WriteFilesAsync(place, parent, Path.Combine(work, "files"), cancellationToken).ConfigureAwait(false)
                : parentTree;
            string? staged = await WriteStagedAsync(place, admin, Path.Combine(work, "staged"), cancellationToken).ConfigureAwait(false);
            if (staged == tree || staged == parentTree)
            {
                staged = null;
            }

            if (tree == parentTree && staged is null && commits == 0)
            {
                return null;
            }

            return await KeepAsync(place, request, new Kept(parents, parentTree, tree, staged, commits), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            TreeRemoval.Remove(work);
        }
    }

    private static readonly Dictionary<string, string> None = [];

    private sealed record Kept(List<string> Parents, string ParentTree, string Tree, string? Staged, int Commits);

    private async ValueTask<Rescue> KeepAsync(SlotPlace place, RescueRequest request, Kept kept, CancellationToken cancellationToken)
    {
        string identity = string.Join('\n', [place.Slot, kept.Tree, kept.Staged ?? "", .. kept.Parents]);
        string id = $"{place.Slot}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(identity)))[..12]}";
        int files = (await slots.RunOnObjectsAsync(place, None, ["diff-tree", "-r", "--name-only", "--no-renames", "-z", kept.ParentTree, kept.Tree], cancellationToken).ConfigureAwait(false)).Fields.Count();
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
        List<string> parents = [.. kept.Parents];
        if (kept.Staged is not null)
        {
            parents.Add((await slots.RunOnObjectsAsync(place, author, ["commit-tree", kept.Staged, "-p", kept.Parents[0], "-m", $"What was staged in {place.Slot}"], cancellationToken).ConfigureAwait(false)).Line);
        }

        var rescue = new Rescue
        {
            Id = id,
            Ref = RepositoryRefs.RescuePrefix + id,
            Commit = "",
            Key = request.Key,
            Slot = place.Slot,
            At = request.At,
            Files = files,
            Commits = kept.Commits,
            Reason = request.Reason,
        };
        string commit = (await slots.RunOnObjectsAsync(
            place, author, ["commit-tree", kept.Tree, .. parents.SelectMany(parent => new[] { "-p", parent }), "-m", RescueMessage.Write(rescue)], cancellationToken).ConfigureAwait(false)).Line;
        return await refs.TryCreateAsync(rescue.Ref, commit, cancellationToken).ConfigureAwait(false)
            ? rescue with { Commit = commit }

            // The same content from the same slot is kept already, only under another time.
            : rescue with { Commit = await refs.ResolveAsync(rescue.Ref, cancellationToken).ConfigureAwait(false) ?? commit };
    }

    /// <summary>How many commits nothing but the slot and the lease's own branch keeps.</summary>
    private async ValueTask<int> CountUnreachableAsync(List<string> tips, string? branch, CancellationToken cancellationToken)
    {
        // Without --single-worktree, --all would take the slot's own HEAD, too, for something that keeps its commits.
        List<string> arguments = ["rev-list", "--count", .. tips, "--not", "--single-worktree"];
        if (branch is not null)
        {
            arguments.Add($"--exclude=refs/heads/{branch}");
        }

        GitResult counted = await refs.RunAsync(cancellationToken, [.. arguments, "--all"]).ConfigureAwait(false);
        return int.Parse(counted.Line, CultureInfo.InvariantCulture);
    }

    /// <summary>The tree of the slot's files as they lie there, ignored ones left out.</summary>
    private async ValueTask<string> WriteFilesAsync(SlotPlace place, string parent, string index, CancellationToken cancellationToken)
    {
        await slots.RunAsideAsync(place, index, cancellationToken, "read-tree", parent).ConfigureAwait(false);
        GitResult added = await slots.TryRunAsideAsync(place, index, cancellationToken, "add", "-A", "--", ".").ConfigureAwait(false);
        if (!added.Succeeded)
        {
            // Files or directories closed to us are ours to open: the slot is about to be cleaned anyway.
            TreeRemoval.MakeAccessible(place.Path);
            await slots.RunAsideAsync(place, index, cancellationToken, "add", "-A", "--", ".").ConfigureAwait(false);
        }

        return (await slots.RunAsideAsync(place, index, cancellationToken, "write-tree").ConfigureAwait(false)).Line;
    }

    /// <summary>The tree of the slot's own index; null when it is unreadable or has conflicts, and then the files tell all.</summary>
    private async ValueTask<string?> WriteStagedAsync(SlotPlace place, string admin, string index, CancellationToken cancellationToken)
    {
        string own = Path.Combine(admins.PathOf(admin), "index");
        if (!SafeFile.IsRealFile(own))
        {
            return null;
        }

        File.Copy(own, index);
        GitResult written = await slots.TryRunAsideAsync(place, index, cancellationToken, "write-tree").ConfigureAwait(false);
        return written.Succeeded ? written.Line : null;
    }
}
