using WorktreePool.Git.Cli.Isolated;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli;

/// <summary>
/// Fetches one branch from the trusted URL. Runs in the neutral directory, so that no URL rewrite, upload-pack command or helper from the shared
/// config takes part; the objects go to the repository, and the tracking ref is moved afterwards if nothing stands in the way.
/// </summary>
internal sealed class RemoteFetcher(RepositoryLayout repository, Baseline baseline, NeutralDirectory neutral, RepositoryRefs refs, FetchLock turn, KnownRefs? known, GitRunner git)
{
    private const string Prefix = "refs/remotes/";

    /// <summary>Fetches the branch of a tracking ref; the caller holds the fetch lock.</summary>
    public async ValueTask<string?> FetchAsync(string reference, IProgress<PoolProgress>? progress, CancellationToken cancellationToken)
    {
        string? remote = baseline.Current.Remotes.Keys
            .Where(name => reference.StartsWith($"{Prefix}{name}/", StringComparison.Ordinal)).MaxBy(name => name.Length);
        if (remote is null)
        {
            return null;
        }

        string branch = reference[(Prefix.Length + remote.Length + 1)..];
        Dictionary<string, string> environment = neutral.EnvironmentFor(null, null, repository.Objects);

        // What we have already, so that only news is transferred: the neutral directory has no refs of its own.
        foreach ((string have, string name) in new[] { (reference, "tracking"), ("HEAD", "head") })
        {
            string[] update = await refs.ResolveAsync(have, cancellationToken).ConfigureAwait(false) is { } commit
                ? ["update-ref", $"refs/have/{name}", commit]
                : ["update-ref", "-d", $"refs/have/{name}"];
            await git.TryRunAsync(Call(environment, update), cancellationToken).ConfigureAwait(false);
        }

        string fetched = $"refs/fetched/{Guid.NewGuid():N}";
        string url = repository.AbsoluteUrl(baseline.Current.Remotes[remote]);
        GitResult transferred = await git.TryRunAsync(
            Call(environment, "fetch", "--progress", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance", "--no-write-fetch-head", "--force", "--end-of-options", url, $"+refs/heads/{branch}:{fetched}") with { Complaints = FetchProgress.To(progress) },
            cancellationToken).ConfigureAwait(false);
        if (!transferred.Succeeded)
        {
            throw new GitBackendException($"{branch} could not be fetched from {url}: {FetchProgress.Complaint(transferred.Error)}. No slot was changed. Check the URL and your access to it{(Missed() is { } missed ? $", or put {missed} back, whose objects the pool's repository borrows" : "")}; then try again.");
        }

        string tip = (await git.RunAsync(Call(environment, "rev-parse", "--verify", fetched + "^{commit}"), cancellationToken).ConfigureAwait(false)).Line;
        await git.TryRunAsync(Call(environment, "update-ref", "-d", fetched), cancellationToken).ConfigureAwait(false);

        // Best effort: a stale lock or a ref in the way must not keep the pool from the commit it has just been given.
        await refs.TryMoveAsync(reference, tip, cancellationToken).ConfigureAwait(false);
        known?.Learn([KeyValuePair.Create(reference, tip)]);
        return tip;
    }

    /// <summary>A clone that is not there, and may have what cannot be fetched; null for none.</summary>
    private string? Missed() => baseline.Current.Isolation?.Borrowed is { } borrowed && !Directory.Exists(borrowed) ? borrowed : null;

    private GitCall Call(Dictionary<string, string> environment, params IReadOnlyList<string> arguments) =>
        new GitCall(arguments) { Subject = repository.CommonDirectory, Mark = turn.File, Environment = environment }.ToRemote(baseline.Current);
}
