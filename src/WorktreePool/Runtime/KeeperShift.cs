using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using WorktreePool.Diagnostics;
using WorktreePool.Lifecycle;

namespace WorktreePool.Runtime;

/// <summary>
/// When the keeper works, and which: of all processes on a machine that would keep the pool one is inside the keeper's gate. It stays there between
/// its passes, so that the others need not even look.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore has nothing to dispose unless its wait handle is used, and a pass may still be under way.")]
internal sealed class KeeperShift(PoolContext context, Keeper keeper, Gates gates)
{
    /// <summary>How often one who stands by looks whether the keeper has gone.</summary>
    private static readonly TimeSpan LongestStandBy = TimeSpan.FromSeconds(5);

    /// <summary>The shortest rest, however much is due: the keeper never spins.</summary>
    private static readonly TimeSpan ShortestRest = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _turn = new(1, 1);

    /// <summary>The gate's name: each machine of a fleet has slots of its own, and a keeper of its own.</summary>
    private readonly string _gate = $"keeper:{context.Host}";

    /// <summary>This pool object's stay in the gate; null while it is not the keeper.</summary>
    private volatile GateRecord? _entry;

    /// <summary>One pass, unless another process keeps the pool.</summary>
    public async ValueTask<MaintenanceReport> MaintainAsync(TimeSpan? baseRefresh, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_entry is not null)
            {
                return await keeper.RunAsync(baseRefresh, cancellationToken).ConfigureAwait(false);
            }

            GateTry tried = await gates.TryEnterAsync(_gate, cancellationToken).ConfigureAwait(false);
            if (tried.Entry is not { } entry)
            {
                return new MaintenanceReport([], [], [], []) { KeptBy = tried.Inside };
            }

            try
            {
                return await keeper.RunAsync(baseRefresh, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                await gates.LeaveAsync(_gate, entry).ConfigureAwait(false);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Passes until cancelled; while another process keeps the pool, none.</summary>
    public async IAsyncEnumerable<MaintenanceReport> KeepAsync(Live<KeeperOptions> settings, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var stay = new Stay();
        try
        {
            while (true)
            {
                Task replaced = settings.Replaced;
                KeeperOptions options = settings.Current;
                if (await TryPassAsync(stay, options, cancellationToken).ConfigureAwait(false) is { } report)
                {
                    yield return report;
                }

                TimeSpan rest = stay.Entry is null ? Shorter(options.Interval, LongestStandBy) : await RestAsync(options.Interval, cancellationToken).ConfigureAwait(false);
                using var resting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                await Task.WhenAny(Task.Delay(rest, context.Time, resting.Token), replaced).ConfigureAwait(false);
                await resting.CancelAsync().ConfigureAwait(false);
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
        finally
        {
            // Also when the pass that followed the entrance was cut short.
            if (stay.Entry is { } entry)
            {
                _entry = null;
                await gates.LeaveAsync(_gate, entry).ConfigureAwait(false);
            }
        }
    }

    /// <summary>One loop's place in the gate.</summary>
    private sealed class Stay
    {
        public GateRecord? Entry { get; set; }
    }

    /// <summary>Becomes the keeper if nobody is, and does a pass; null when another keeps the pool.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "A keeper that ends at a failure keeps nothing: the failure is reported, and the next pass tries again.")]
    private async ValueTask<MaintenanceReport?> TryPassAsync(Stay stay, KeeperOptions options, CancellationToken cancellationToken)
    {
        try
        {
            if (stay.Entry is { } before && Gates.Find((await context.ReadAsync(cancellationToken).ConfigureAwait(false)).Pool, _gate)?.Id != before.Id)
            {
                // The pool's record was lost, or another machine of this name took it: not the keeper any more.
                stay.Entry = _entry = null;
            }

            if (stay.Entry is null)
            {
                GateTry tried = await gates.TryEnterAsync(_gate, cancellationToken).ConfigureAwait(false);
                if (tried.Entry is null)
                {
                    return null;
                }

                stay.Entry = _entry = tried.Entry;
                PoolLog.KeeperStarted(context.Logger, context.Name);
            }

            MaintenanceReport report = await MaintainAsync(options.BaseRefresh, cancellationToken).ConfigureAwait(false);
            foreach (string failure in report.Failures)
            {
                PoolLog.KeeperFailed(context.Logger, context.Name, failure);
            }

            return report;
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            PoolLog.KeeperFailed(context.Logger, context.Name, e.Message);
            return new MaintenanceReport([], [], [], []) { Failures = [e.Message] };
        }
    }

    /// <summary>Until the next pass: the interval, or less when something is due.</summary>
    private async ValueTask<TimeSpan> RestAsync(TimeSpan interval, CancellationToken cancellationToken)
    {
        try
        {
            PoolState state = await context.ReadAsync(cancellationToken).ConfigureAwait(false);
            DateTimeOffset now = context.Now;
            DateTimeOffset? due = state.Slots
                .Select(slot => slot.State == SlotState.Quarantined ? slot.Quarantine?.RetryAt : slot.Lease?.OverdueSince is null ? SlotLifecycle.DueOf(slot) : slot.Lease.ExpiresAt)
                .Where(time => time is not null).Min();
            return due - now is { } wait && wait < interval ? Shorter(interval, wait < ShortestRest ? ShortestRest : wait) : interval;
        }
        catch (StateStoreException)
        {
            return interval;
        }
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
