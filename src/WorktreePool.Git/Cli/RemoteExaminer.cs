using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli;

/// <summary>
/// Compares the repository's tracking refs with the branches that the trusted remotes have now. A branch <c>a/b</c> cannot be fetched beside a
/// tracking ref <c>a</c> whose branch is gone, nor the other way round: then every git fetch fails, in every worktree, until somebody prunes.
/// </summary>
internal sealed class RemoteExaminer(RepositoryLayout repository, Baseline baseline, NeutralDirectory neutral, RepositoryRefs refs, GitRunner git)
{
    private const string Heads = "refs/heads/";

    /// <summary>So many tracking refs are named; the rest is counted.</summary>
    private const int Named = 5;

    /// <summary>What stands in the way of a fetch, and whether the base is gone.</summary>
    /// <param name="reference">The full name of the base.</param>
    /// <param name="cancellationToken">Ends the questions.</param>
    /// <exception cref="GitBackendException">A remote could not be asked.</exception>
    public async ValueTask<IReadOnlyList<Finding>> ExamineAsync(string reference, CancellationToken cancellationToken)
    {
        List<Finding> findings = [];
        foreach ((string remote, string url) in baseline.Current.Remotes)
        {
            string prefix = $"refs/remotes/{remote}/";
            HashSet<string> theirs = await ListBranchesAsync(url, cancellationToken).ConfigureAwait(false);
            GitResult listed = await refs.TryRunAsync(cancellationToken, "for-each-ref", "--format=%(refname)", prefix).ConfigureAwait(false);
            string[] ours = [.. listed.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(name => name[prefix.Length..])];
            AddInTheWay(findings, remote, [.. ours.Where(name => name != "HEAD" && !theirs.Contains(name))], theirs);
            if (reference.StartsWith(prefix, StringComparison.Ordinal) && !theirs.Contains(reference[prefix.Length..]))
            {
                findings.Add(new Finding(FindingIds.RefsDrift, $"{remote} has no branch {reference[prefix.Length..]} any more; slots stay at the commit it had last. Set Base to a branch that exists"));
            }
        }

        return findings;
    }

    private static void AddInTheWay(List<Finding> findings, string remote, string[] stale, HashSet<string> theirs)
    {
        HashSet<string> directories = [.. theirs.SelectMany(DirectoriesOf)];
        string[] inTheWay = [.. stale.Where(name => directories.Contains(name) || DirectoriesOf(name).Any(theirs.Contains))];
        if (inTheWay.Length > 0)
        {
            string more = inTheWay.Length > Named ? $" and {inTheWay.Length - Named} more" : "";
            findings.Add(new Finding(FindingIds.RefsDrift,
                $"refs/remotes/{remote}/{string.Join($", refs/remotes/{remote}/", inTheWay.Take(Named))}{more} stand in the way of branches that {remote} has now, so that git fetch fails in every worktree. Run git remote prune {remote}"));
        }
    }

    /// <summary>What must be a directory for a ref of this name to be: <c>a</c> and <c>a/b</c> for <c>a/b/c</c>.</summary>
    private static IEnumerable<string> DirectoriesOf(string name)
    {
        for (int slash = name.IndexOf('/', StringComparison.Ordinal); slash >= 0; slash = name.IndexOf('/', slash + 1))
        {
            yield return name[..slash];
        }
    }

    private async ValueTask<HashSet<string>> ListBranchesAsync(string url, CancellationToken cancellationToken)
    {
        var call = new GitCall("ls-remote", "--heads", "--quiet", "--end-of-options", repository.AbsoluteUrl(url))
        {
            Subject = repository.CommonDirectory,
            Environment = neutral.EnvironmentFor(null, null, repository.Objects),
        };
        GitResult listed = await git.RunAsync(call.ToRemote(baseline.Current), cancellationToken).ConfigureAwait(false);
        return [.. listed.Output.Split('\n').Select(line => line.Split('\t')).Where(parts => parts.Length == 2 && parts[1].StartsWith(Heads, StringComparison.Ordinal)).Select(parts => parts[1][Heads.Length..])];
    }
}
