using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli;

/// <summary>
/// Compares a slot with its target: structure and HEAD by reading files, index and files as a worktree, then its submodules. Changes nothing.
/// </summary>
internal sealed class SlotProber(AdminDirectory admins, WorktreeGit git, WorktreeProber contents, Submodules submodules, ObjectStore objects, RepositoryRefs refs, KeepPatterns keep)
{
    public async ValueTask<SlotProbe> ProbeAsync(SlotPlace place, SlotTarget target, CancellationToken cancellationToken)
    {
        Pipes.SetAside(git.Repository);
        string admin = admins.NameFor(place);
        List<Finding> findings = admins.Examine(place, admin);
        if (Mounts.Find(place, keep) is { } mount)
        {
            findings.Add(mount);
        }

        string? head = findings.Any(finding => finding.Id == FindingIds.AdminMissing) ? null : admins.ReadHead(admin);
        string? commit = await ResolveHeadAsync(head, cancellationToken).ConfigureAwait(false);
        if (findings.Any(finding => finding.Id is not (FindingIds.LockStale or FindingIds.AdminResidue)))
        {
            return new SlotProbe(findings, commit, admin);
        }

        string wanted = target.Branch is null ? target.Commit : $"ref: refs/heads/{target.Branch}";
        if (head is null || commit is null)
        {
            findings.Add(new Finding(FindingIds.HeadBroken, head is null ? "HEAD cannot be read" : $"HEAD is \"{head}\", which names no commit"));
        }
        else if (head != wanted || commit != target.Commit)
        {
            findings.Add(head.StartsWith("ref: ", StringComparison.Ordinal) && head != wanted
                ? new Finding(FindingIds.OnBranch, $"HEAD is on {head[5..]}")
                : new Finding(FindingIds.WrongCommit, $"HEAD is at {commit}, not {target.Commit}"));
        }

        if (findings.Any(finding => finding.Id is FindingIds.HeadBroken && head?.StartsWith("ref: ", StringComparison.Ordinal) != true))
        {
            // Git takes a directory without a well-formed HEAD for no repository at all.
            return new SlotProbe(findings, commit, admin);
        }

        Task<Finding?> damage = objects.ExamineAsync(target.Commit, cancellationToken).AsTask();
        GitWorktree tree = git.Of(place, admin);
        TrackedPaths? tracked = await contents.ExamineAsync(tree, target.Commit, findings, cancellationToken).ConfigureAwait(false);
        if (tracked is not null)
        {
            findings.AddRange(await submodules.ExamineAsync(tree, target.Commit, tracked.Submodules, cancellationToken).ConfigureAwait(false));
        }

        if (await damage.ConfigureAwait(false) is { } finding)
        {
            findings.Add(finding);
        }

        return new SlotProbe(findings, commit, admin);
    }

    private async ValueTask<string?> ResolveHeadAsync(string? head, CancellationToken cancellationToken) => head switch
    {
        null => null,
        _ when head.StartsWith("ref: refs/", StringComparison.Ordinal) => await refs.ResolveAsync(head[5..], cancellationToken).ConfigureAwait(false),
        { Length: 40 or 64 } when head.All(char.IsAsciiHexDigitLower) => await refs.ResolveAsync(head, cancellationToken).ConfigureAwait(false),
        _ => null,
    };
}
