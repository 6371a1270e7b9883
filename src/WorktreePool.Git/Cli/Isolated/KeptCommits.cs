using System.Globalization;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli.Isolated;

/// <summary>
/// What an isolated repository keeps whoever ends a lease, and how: what the remote gave, and the pool's own refs. What only a live lease's refs reach is
/// no better kept than the lease, which its holder may discard. Works on objects alone: what refs and config there say does not count.
/// </summary>
internal sealed class KeptCommits(RepositoryLayout repository, Baseline baseline, NeutralDirectory neutral, KnownRefs known, RemoteRefs remote, GitRunner git)
{
    private readonly RefStore _store = new(repository);

    /// <summary>How many commits would be lost with these; null where history is damaged, so that git cannot count.</summary>
    /// <param name="tips">The commits.</param>
    /// <param name="seen">The base as the pool has it; null for none.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    public ValueTask<int?> CountOthersAsync(IEnumerable<string> tips, string? seen, CancellationToken cancellationToken)
    {
        IEnumerable<KeyValuePair<string, string>> given = known.IsLost ? _store.Read().Where(found => RefRestorer.IsOfRemote(found.Key)) : known.Fetched;
        return CountAsync(tips, given.Select(found => found.Value).Concat(known.Own().Values).Append(seen ?? ""), cancellationToken);
    }

    /// <summary>The same; where it matters, what a holder has pushed or fetched is asked of the remote, and known then.</summary>
    public async ValueTask<int?> LearnAndCountOthersAsync(IEnumerable<string> tips, string? seen, CancellationToken cancellationToken)
    {
        int? others = await CountOthersAsync(tips, seen, cancellationToken).ConfigureAwait(false);
        List<KeyValuePair<string, string>> news = others is > 0 ? [.. _store.Read().Where(found => RefRestorer.IsOfRemote(found.Key) && known.Fetched.GetValueOrDefault(found.Key) != found.Value)] : [];
        if (news.Count > 0 && await CountAsync(tips, news.Select(found => found.Value), cancellationToken).ConfigureAwait(false) < others
            && await remote.TryListAsync(baseline.Current, cancellationToken).ConfigureAwait(false) is { } truth)
        {
            known.Learn(news.Where(found => truth.GetValueOrDefault(found.Key) == found.Value));
            others = await CountOthersAsync(tips, seen, cancellationToken).ConfigureAwait(false);
        }

        return others;
    }

    private async ValueTask<int?> CountAsync(IEnumerable<string> tips, IEnumerable<string> kept, CancellationToken cancellationToken)
    {
        var count = new GitCall("rev-list", "--count", "--ignore-missing", "--stdin")
        {
            Subject = repository.CommonDirectory,
            Environment = neutral.EnvironmentFor(null, null, repository.Objects),
            Settings = [new("core.commitGraph", "false")],
            Input = string.Concat(tips.Select(tip => tip + "\n").Concat(kept.Where(RefStore.IsId).Distinct().Select(id => $"^{id}\n"))),
        };
        GitResult counted = await git.TryRunAsync(count, cancellationToken).ConfigureAwait(false);
        return counted.Succeeded ? int.Parse(counted.Line, CultureInfo.InvariantCulture) : null;
    }

    /// <summary>Takes a rescue for the pool's own.</summary>
    public void Add(Rescue rescue) => known.Add(rescue.Ref, rescue.Commit);
}
