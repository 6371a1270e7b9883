using System.Runtime.ExceptionServices;
using WorktreePool.Diagnostics;

namespace WorktreePool.Runtime;

/// <summary>
/// Resolves the base to a commit, once per claim or release. A tracking ref on disk can be moved by anybody who works in a slot, so it is
/// trusted only while it agrees with the base that the pool itself saw last; otherwise the trusted remote is asked, and if that fails
/// the last known commit stands. A branch of the user's own is taken as it is.
/// </summary>
internal sealed class BaseResolver(PoolContext context)
{
    /// <summary>A fetch gets at most this share of what is left of the deadline: preparation must still fit behind it.</summary>
    private const double FetchShare = 0.5;

    /// <summary>And never more than this.</summary>
    public static readonly TimeSpan LongestFetch = TimeSpan.FromSeconds(20);

    private string? _baseRef;

    /// <summary>The full refname of the pool's base.</summary>
    public async ValueTask<string> GetBaseRefAsync(CancellationToken cancellationToken)
    {
        if (_baseRef is null)
        {
            PoolRecord pool = (await context.Store.ReadAsync(cancellationToken).ConfigureAwait(false)).Pool;
            if (pool.Base is { } known && (context.Options.Base is null || Means(known.Ref, context.Options.Base)))
            {
                // What the name meant first: a worker may have deleted the ref since, which a fetch brings back, or made one of the same short name.
                _baseRef = known.Ref;
            }
            else
            {
                string name = context.Options.Base ?? (await context.Git.InspectAsync(cancellationToken).ConfigureAwait(false)).DefaultBase;
                _baseRef = await context.Git.ExpandAsync(name, cancellationToken).ConfigureAwait(false);
            }
        }

        return _baseRef;
    }

    /// <summary>The commit a claim or release shall use.</summary>
    /// <param name="requested">The claim's own base, or null for the pool's.</param>
    /// <param name="pool">The pool's record, as just read.</param>
    /// <param name="deadline">The operation's deadline.</param>
    /// <param name="progress">Is told of a fetch.</param>
    /// <exception cref="BaseNotFoundException">The base names nothing and was never seen.</exception>
    public async ValueTask<string> ResolveAsync(string? requested, PoolRecord pool, Deadline deadline, IProgress<PoolProgress>? progress = null)
    {
        string baseRef = await GetBaseRefAsync(deadline.Token).ConfigureAwait(false);
        string wanted = requested is null ? baseRef : await context.Git.ExpandAsync(requested, deadline.Token).ConfigureAwait(false);
        string? onDisk = await context.Git.ResolveAsync(wanted, deadline.Token).ConfigureAwait(false);
        if (wanted != baseRef)
        {
            return onDisk ?? throw Missing(wanted);
        }

        BaseRecord? known = pool.Base?.Ref == baseRef ? pool.Base : null;
        if (onDisk is not null && (known is null || known.Commit == onDisk || !baseRef.StartsWith("refs/remotes/", StringComparison.Ordinal)))
        {
            if (known?.Commit != onDisk)
            {
                await RememberAsync(baseRef, onDisk, deadline.Token).ConfigureAwait(false);
            }

            return onDisk;
        }

        return await AskRemoteAsync(baseRef, known, onDisk, deadline, progress).ConfigureAwait(false);
    }

    /// <summary>Fetches the base and remembers what it is now.</summary>
    private async ValueTask<string> AskRemoteAsync(string baseRef, BaseRecord? known, string? onDisk, Deadline deadline, IProgress<PoolProgress>? progress)
    {
        ExceptionDispatchInfo? failure = null;
        TimeSpan budget = deadline.Left * FetchShare < LongestFetch ? deadline.Left * FetchShare : LongestFetch;
        using var fetch = new Deadline(context.Time, budget, deadline.Token);
        try
        {
            if (await context.Git.FetchAsync(baseRef, fetch.Token, progress).ConfigureAwait(false) is { } fetched)
            {
                await RememberAsync(baseRef, fetched, deadline.Token).ConfigureAwait(false);
                return fetched;
            }
        }
        catch (Exception e) when (e is GitBackendException || (e is OperationCanceledException && fetch.HasPassed))
        {
            failure = ExceptionDispatchInfo.Capture(e);
            PoolLog.FetchFailed(context.Logger, context.Name, baseRef, e.Message);
        }

        if (known is not null && await context.Git.ResolveAsync(known.Commit, deadline.Token).ConfigureAwait(false) is { } commit)
        {
            return commit;
        }

        failure?.Throw();
        return onDisk ?? throw Missing(baseRef);
    }

    private async ValueTask RememberAsync(string baseRef, string commit, CancellationToken cancellationToken)
    {
        // A lost race is fine: whoever won has just seen the base as well.
        PoolRecord pool = (await context.Store.ReadAsync(cancellationToken).ConfigureAwait(false)).Pool;
        await context.Store.CompareAndSetPoolAsync(
            pool.Version, pool with { Base = new BaseRecord(baseRef, commit, context.Now) }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Whether a configured base, which may be short, is the ref the pool knows.</summary>
    private static bool Means(string known, string? configured) =>
        known == configured || known == $"refs/remotes/{configured}" || known == $"refs/heads/{configured}" || known == $"refs/tags/{configured}";

    private BaseNotFoundException Missing(string name) => new(
        $"The base \"{name}\" of pool \"{context.Name}\" names no commit in {context.Options.RepositoryPath}. No slot was changed. Fetch it, or set Base to a ref that exists.");
}
