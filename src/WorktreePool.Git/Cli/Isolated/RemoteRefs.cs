using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli.Isolated;

/// <summary>Asks a remote which refs it has. In no repository: whatever is configured in one does not count.</summary>
internal sealed class RemoteRefs(RepositoryLayout repository, WorktreePoolOptions options, TimeProvider time, GitRunner git)
{
    /// <summary>Longer than any remote that can be reached takes; of one that cannot, nothing is learned.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    /// <summary>A claim or release that asks must have time left to go on without an answer: it would come to the same question the next time.</summary>
    private TimeSpan Patience => new[] { Longest, options.ClaimTimeout / 4, options.ReleaseTimeout / 4 }.Min();

    /// <summary>The refs of the trusted remote, by the names that the pool's repository has them under; null when it does not answer.</summary>
    public async ValueTask<IReadOnlyDictionary<string, string>?> TryListAsync(BaselineDocument trusted, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Patience, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            GitResult listed = await ListAsync(trusted.Isolation!.Remote, trusted, ["--refs"], [], both.Token).ConfigureAwait(false);
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

    /// <summary>Whether a remote's ids are SHA-256: their length tells. One that has none, or does not answer, is taken for a usual one.</summary>
    public async ValueTask<bool> IsSha256Async(string url, BaselineDocument trusted, CancellationToken cancellationToken)
    {
        GitResult listed = await ListAsync(url, trusted, [], [], cancellationToken).ConfigureAwait(false);
        return listed.Succeeded && listed.Output.IndexOf('\t', StringComparison.Ordinal) == 64;
    }

    private ValueTask<GitResult> ListAsync(string url, BaselineDocument trusted, string[] options, string[] patterns, CancellationToken cancellationToken) => git.TryRunAsync(
        new GitCall(["ls-remote", .. options, "--end-of-options", url, .. patterns])
        {
            Subject = repository.CommonDirectory,
            Environment = new Dictionary<string, string> { ["GIT_DIR"] = Path.Combine(repository.Scratch, "none") },
        }.ToRemote(trusted),
        cancellationToken);

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
