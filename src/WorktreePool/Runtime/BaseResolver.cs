using System.Runtime.ExceptionServices;
using WorktreePool.Diagnostics;

namespace WorktreePool.Runtime;

/// <summary>
/// Resolves the base to a commit, once per claim or release. A tracking ref on disk can be moved by anybody who works in a slot, so it is
/// trusted only while it agrees with the base that the pool itself saw last; otherwise the trusted remote is asked, and if that fails
/// the last known commit stands. A branch of the user's own is taken as it is.
/// </summary>
internal sealed class BaseResolver(PoolContext context, Gates gates)
{
    /// <summary>A fetch gets at most this share of what is left of the deadline: preparation must still fit behind it.</summary>
    private const double FetchShare = 0.5;

    /// <summary>And never more than this.</summary>
    public static readonly TimeSpan LongestFetch = TimeSpan.FromSeconds(20);

    /// <summary>How often one who waits for another's fetch looks whether that process has died.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    private const string Tracking = "refs/remotes/";

    private string? _baseRef;

    /// <summary>The full refname of the pool's base.</summary>
    public async ValueTask<string> GetBaseRefAsync(CancellationToken cancellationToken)
    {
        if (_baseRef is null)
        {
            PoolRecord pool = (await context.ReadAsync(cancellationToken).ConfigureAwait(false)).Pool;
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
    /// <param name="maxAge">How long ago the remote may have been asked; null: whenever.</param>
    /// <param name="pool">The pool's record, as just read.</param>
    /// <param name="deadline">The operation's deadline.</param>
    /// <param name="progress">Is told of a fetch.</param>
    /// <exception cref="BaseNotFoundException">The base names nothing and was never seen.</exception>
    /// <exception cref="BaseTooOldException">The remote was last asked too long ago, and could not be asked now.</exception>
    public async ValueTask<string> ResolveAsync(string? requested, TimeSpan? maxAge, PoolRecord pool, Deadline deadline, IProgress<PoolProgress>? progress = null)
    {
        string baseRef = await GetBaseRefAsync(deadline.Token).ConfigureAwait(false);
        string wanted = requested is null ? baseRef : await context.Git.ExpandAsync(requested, deadline.Token).ConfigureAwait(false);
        BaseRecord? known = pool.Base?.Ref == wanted ? pool.Base : null;
        if (maxAge is { } age && wanted.StartsWith(Tracking, StringComparison.Ordinal) && IsOlder(known, age)
            && await FetchAsync(wanted, isBase: wanted == baseRef, age, known, deadline, progress).ConfigureAwait(false) is { } newest)
        {
            return newest;
        }

        string? onDisk = await context.Git.ResolveAsync(wanted, deadline.Token).ConfigureAwait(false);
        if (wanted != baseRef)
        {
            return onDisk ?? throw Missing(wanted);
        }

        if (onDisk is not null && (known is null || known.Commit == onDisk || !baseRef.StartsWith(Tracking, StringComparison.Ordinal)))
        {
            if (known?.Commit != onDisk)
            {
                await RememberAsync(baseRef, onDisk, known?.FetchedAt, deadline.Token).ConfigureAwait(false);
            }

            return onDisk;
        }

        return await AskRemoteAsync(baseRef, known, onDisk, deadline, progress).ConfigureAwait(false);
    }

    /// <summary>Whether the remote was last asked for it too long ago. A time to come means that the clock was set back.</summary>
    private bool IsOlder(BaseRecord? known, TimeSpan maxAge) => known?.FetchedAt is not { } fetched || context.Now - fetched is var age && (age >= maxAge || age < TimeSpan.Zero);

    /// <summary>Asks the remote because what is known is too old.</summary>
    /// <returns>Null when the ref is no remote's, and so never old.</returns>
    private async ValueTask<string?> FetchAsync(string reference, bool isBase, TimeSpan maxAge, BaseRecord? known, Deadline deadline, IProgress<PoolProgress>? progress)
    {
        using Deadline fetch = FetchDeadline(deadline);
        try
        {
            return await FetchInTurnAsync(reference, isBase, maxAge, fetch.Token, progress).ConfigureAwait(false);
        }
        catch (Exception e) when (e is GitBackendException || (e is OperationCanceledException && fetch.HasPassed))
        {
            PoolLog.FetchFailed(context.Logger, context.Name, reference, e.Message);
            string last = known?.FetchedAt is { } time ? $"was last fetched at {time:u}" : "was not fetched yet";
            throw new BaseTooOldException(
                $"The base \"{reference}\" {last}, may be {maxAge} old at most, and could not be fetched now: {(e is OperationCanceledException ? "the remote did not answer in time" : e.Message)}. No slot was claimed. See whether the remote can be reached, or allow an older base.", e);
        }
    }

    /// <summary>Fetches the base and remembers what it is now.</summary>
    private async ValueTask<string> AskRemoteAsync(string baseRef, BaseRecord? known, string? onDisk, Deadline deadline, IProgress<PoolProgress>? progress)
    {
        ExceptionDispatchInfo? failure = null;
        using Deadline fetch = FetchDeadline(deadline);
        try
        {
            if (await FetchInTurnAsync(baseRef, isBase: true, TimeSpan.Zero, fetch.Token, progress).ConfigureAwait(false) is { } fetched)
            {
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

    /// <summary>
    /// One fetch at a time over all processes on this machine: whoever comes meanwhile waits for that one's result, or fetches next if it began too early for it.
    /// </summary>
    private async ValueTask<string?> FetchInTurnAsync(string reference, bool isBase, TimeSpan maxAge, CancellationToken cancellationToken, IProgress<PoolProgress>? progress)
    {
        string gate = $"fetch:{context.Host}";
        DateTimeOffset newEnough = context.Now - maxAge;
        while (true)
        {
            GateTry tried = await gates.TryEnterAsync(gate, cancellationToken).ConfigureAwait(false);
            try
            {
                if (isBase && tried.State.Pool.Base is { FetchedAt: { } at } known && known.Ref == reference && at > newEnough && at <= context.Now)
                {
                    return known.Commit;
                }

                if (tried.Entry is not null)
                {
                    using PoolTelemetry.Operation? measured = PoolTelemetry.StartFetch(context.Name, context.Time);
                    DateTimeOffset asked = context.Now;
                    string? fetched = await context.Git.FetchAsync(reference, cancellationToken, progress).ConfigureAwait(false);
                    measured?.End(fetched is null ? "no_remote" : "fetched");
                    if (fetched is not null && isBase)
                    {
                        await RememberAsync(reference, fetched, asked, cancellationToken).ConfigureAwait(false);
                    }

                    return fetched;
                }
            }
            finally
            {
                if (tried.Entry is { } entry)
                {
                    await gates.LeaveAsync(gate, entry).ConfigureAwait(false);
                }
            }

            await context.WaitForChangeAsync(tried.State.Stamp, Look, cancellationToken).ConfigureAwait(false);
        }
    }

    private Deadline FetchDeadline(Deadline deadline) =>
        new(context.Time, deadline.Left * FetchShare < LongestFetch ? deadline.Left * FetchShare : LongestFetch, deadline.Token);

    private async ValueTask RememberAsync(string baseRef, string commit, DateTimeOffset? fetchedAt, CancellationToken cancellationToken)
    {
        PoolRecord pool;
        do
        {
            pool = (await context.ReadAsync(cancellationToken).ConfigureAwait(false)).Pool;
            if (pool.Base is { FetchedAt: { } later } known && known.Ref == baseRef && later > fetchedAt && later <= context.Now)
            {
                // Another has seen the base since.
                return;
            }
        }
        while (!await context.Store.CompareAndSetPoolAsync(
            pool.Version, pool with { Base = new BaseRecord(baseRef, commit, context.Now) { FetchedAt = fetchedAt } }, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Whether a configured base, which may be short, is the ref the pool knows.</summary>
    private static bool Means(string known, string? configured) =>
        known == configured || known == $"refs/remotes/{configured}" || known == $"refs/heads/{configured}" || known == $"refs/tags/{configured}";

    private BaseNotFoundException Missing(string name) => new(
        $"The base \"{name}\" of pool \"{context.Name}\" names no commit in {context.RepositoryName}. No slot was changed. Fetch it, or set Base to a ref that exists.");
}
