using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli;

/// <summary>
/// Compares a slot with its target: structure by reading files, the index with the commit and the files with the index by git's read-only
/// plumbing, and everything git hides by an own walk. Changes nothing.
/// </summary>
internal sealed class SlotProber(AdminDirectory admins, SlotGit slots, RepositoryRefs refs, KeepPatterns keep)
{
    /// <summary>So many paths are named in a finding; the rest is counted.</summary>
    private const int NamedPaths = 3;

    public async ValueTask<SlotProbe> ProbeAsync(SlotPlace place, SlotTarget target, CancellationToken cancellationToken)
    {
        string admin = admins.NameFor(place);
        List<Finding> findings = admins.Examine(place, admin);
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

        await ExamineContentAsync(place, admin, target.Commit, findings, cancellationToken).ConfigureAwait(false);
        return new SlotProbe(findings, commit, admin);
    }

    /// <summary>The paths in a slot's index, and what is hidden in it; null when it cannot be read.</summary>
    public async ValueTask<TrackedPaths?> ReadIndexAsync(SlotPlace place, string admin, List<Finding>? findings, CancellationToken cancellationToken)
    {
        if (!SafeFile.IsRealFile(Path.Combine(admins.PathOf(admin), "index")))
        {
            findings?.Add(new Finding(FindingIds.IndexBroken, "there is no index"));
            return null;
        }

        GitResult listed = await slots.TryRunAsync(place, admin, cancellationToken, "ls-files", "-s", "-v", "-z").ConfigureAwait(false);
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
            tracked.Add(path, isSubmodule: line.AsSpan(2).StartsWith("160000", StringComparison.Ordinal));
            if (line[tab - 1] != '0')
            {
                unmerged.Add(path);
            }
            else if (line[0] != 'H')
            {
                hidden.Add(path);
            }
        }

        Add(findings, FindingIds.IndexHidden, hidden);
        Add(findings, FindingIds.IndexDiffers, unmerged);
        return tracked;
    }

    private async ValueTask ExamineContentAsync(SlotPlace place, string admin, string commit, List<Finding> findings, CancellationToken cancellationToken)
    {
        Task<GitResult> staged = slots.TryRunAsync(place, admin, cancellationToken, "diff-index", "--cached", "--name-only", "--no-renames", "-z", commit).AsTask();
        Task<GitResult> changed = slots.TryRunAsync(place, admin, cancellationToken, "diff-files", "--name-only", "-z").AsTask();
        TrackedPaths? tracked = await ReadIndexAsync(place, admin, findings, cancellationToken).ConfigureAwait(false);
        if (tracked is not null)
        {
            TreeFacts facts = TreeWalk.Run(place.Path, tracked, keep, cancellationToken);
            Add(findings, FindingIds.Untracked, facts.Untracked);
            Add(findings, FindingIds.NotWritable, facts.NotWritable);
            Add(findings, FindingIds.TreeDiffers, await OddLineEndsAsync(place, admin, tracked, cancellationToken).ConfigureAwait(false));
            if (tracked.Submodules.Count > 0)
            {
                Add(findings, FindingIds.SubmoduleDiffers, [.. tracked.Submodules.Where(path => !SafeFile.IsRealDirectory(Path.Combine(place.Path, path)))]);
            }
        }

        Report(await staged.ConfigureAwait(false), FindingIds.IndexDiffers);
        Report(await changed.ConfigureAwait(false), FindingIds.TreeDiffers);

        void Report(GitResult result, string id)
        {
            if (!result.Succeeded)
            {
                bool isObject = result.Error.Contains("unable to read", StringComparison.Ordinal) || result.Error.Contains("bad object", StringComparison.Ordinal) || result.Error.Contains("missing", StringComparison.Ordinal);
                findings.Add(new Finding(isObject ? FindingIds.ObjectsMissing : FindingIds.IndexBroken, result.Error.Trim()));
            }
            else
            {
                Add(findings, id, [.. result.Fields]);
            }
        }
    }

    /// <summary>Files whose line ends are not what their attributes make of them, although git takes them for clean.</summary>
    public async ValueTask<List<string>> OddLineEndsAsync(SlotPlace place, string admin, TrackedPaths tracked, CancellationToken cancellationToken)
    {
        if (!tracked.HasFileNamed(".gitattributes"))
        {
            return [];
        }

        GitResult listed = await slots.TryRunAsync(place, admin, cancellationToken, "ls-files", "--eol", "-z").ConfigureAwait(false);
        List<string> odd = [];
        foreach (string line in listed.Succeeded ? listed.Fields : [])
        {
            // "i/lf    w/crlf  attr/text=auto eol=crlf \tpath"; see git-ls-files(1), --eol.
            int tab = line.IndexOf('\t', StringComparison.Ordinal);
            string[] fields = line[..tab].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            string stored = fields[0][2..], present = fields[1][2..], attributes = string.Join(' ', fields[2..]);
            bool isText = attributes.Contains("attr/text", StringComparison.Ordinal) && stored is "lf" or "none";
            string wanted = !isText || stored == "none" ? stored : attributes.Contains("eol=crlf", StringComparison.Ordinal) ? "crlf" : "lf";
            if (isText && present.Length > 0 && present != wanted && stored != "none")
            {
                odd.Add(line[(tab + 1)..]);
            }
        }

        return odd;
    }

    private async ValueTask<string?> ResolveHeadAsync(string? head, CancellationToken cancellationToken) => head switch
    {
        null => null,
        _ when head.StartsWith("ref: refs/", StringComparison.Ordinal) => await refs.ResolveAsync(head[5..], cancellationToken).ConfigureAwait(false),
        { Length: 40 or 64 } when head.All(char.IsAsciiHexDigitLower) => await refs.ResolveAsync(head, cancellationToken).ConfigureAwait(false),
        _ => null,
    };

    private static void Add(List<Finding>? findings, string id, List<string> paths)
    {
        if (paths.Count > 0)
        {
            string more = paths.Count > NamedPaths ? $" and {paths.Count - NamedPaths} more" : "";
            findings?.Add(new Finding(id, string.Join(", ", paths.Take(NamedPaths)) + more));
        }
    }
}
