using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli.Isolated;

/// <summary>Asks the trusted remote which refs it has.</summary>
internal sealed class RemoteRefs(RepositoryLayout repository, Baseline baseline, TimeProvider time, GitRunner git)
{
    /// <summary>Longer than any remote that can be reached takes; of one that cannot, nothing is learned.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    /// <summary>The refs, by the names that the pool's repository has them under; null when the remote does not answer.</summary>
    public async ValueTask<IReadOnlyDictionary<string, string>?> TryListAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Longest, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            GitResult listed = await ListAsync(baseline.Current.Isolation!.Remote, baseline.Current, ["--refs"], [], both.Token).ConfigureAwait(false);
            return listed.Succeeded ? Parse(listed.Output) : null;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>The branch that a remote's HEAD is on; null when it is on none.</summary>
    public async ValueTask<string?> FindDefaultBranchAsync(string url, BaselineDocument trusted, CancellationToken cancellationToken)
    {
        const string Branch = "ref: refs/heads/";
        GitResult listed = await ListAsync(url, trusted, ["--symref"], ["HEAD"], cancellationToken).ConfigureAwait(false);
        return listed.Output.Split('\n').Select(line => line.Split('\t')).Where(parts => parts is [_, "HEAD"] && parts[0].StartsWith(Branch, StringComparison.Ordinal))
            .Select(parts => parts[0][Branch.Length..]).FirstOrDefault();
    }

    private ValueTask<GitResult> ListAsync(string url, BaselineDocument trusted, string[] options, string[] patterns, CancellationToken cancellationToken)
    {
        // No repository: whatever is configured in one does not count.
        var environment = new Dictionary<string, string> { ["GIT_DIR"] = Path.Combine(repository.Scratch, "none") };
        trusted.AddSshCommand(environment);

        return git.TryRunAsync(
            new GitCall(["ls-remote", .. options, "--end-of-options", url, .. patterns]) { Subject = repository.CommonDirectory, Environment = environment, Settings = trusted.Transport }, cancellationToken);
    }

    private static Dictionary<string, string> Parse(string output)
    {
        Dictionary<string, string> refs = new(StringComparer.Ordinal);
        foreach (string[] parts in output.Split('\n').Select(line => line.Split('\t')).Where(parts => parts.Length == 2))
        {
            string name = parts[1].StartsWith("refs/heads/", StringComparison.Ordinal) ? $"refs/remotes/{IsolatedOrigin.RemoteName}/{parts[1]["refs/heads/".Length..]}" : parts[1];
            if (name.StartsWith("refs/remotes/", StringComparison.Ordinal) || name.StartsWith("refs/tags/", StringComparison.Ordinal))
            {
                refs[name] = parts[0];
            }
        }

        return refs;
    }
}
