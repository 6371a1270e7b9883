namespace WorktreePool.Runtime;

/// <summary>
/// A probe of a free slot that begins under its working lock while the claim's intent is still being written: it changes nothing, so it need not wait
/// for that, and a claim of a ready slot takes as long as the longer of the two. It looks for what the slot was left as: where that is not what is wanted, a slot
/// that is ready there only moves.
/// </summary>
internal sealed class EarlyProbe : IAsyncDisposable
{
    private readonly CancellationTokenSource _unwanted;

    private EarlyProbe(IGitBackend git, SlotPlace place, SlotTarget target, CancellationToken cancellationToken)
    {
        _unwanted = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Result = RunAsync(git, place, target);
    }

    /// <summary>What it finds, or how it fails.</summary>
    public Task<SlotProbe> Result { get; }

    /// <summary>Begins one if the slot is likely to be ready where it was left: free, and without copied files, which must go first.</summary>
    /// <param name="git">The backend.</param>
    /// <param name="candidate">The slot's record as read.</param>
    /// <param name="commit">The wanted commit.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static EarlyProbe? TryBegin(IGitBackend git, SlotRecord candidate, string commit, CancellationToken cancellationToken) =>
        candidate is { State: SlotState.Free, Commit: { } left, SetUp: not { Copied.Count: > 0 } }
            ? new EarlyProbe(git, candidate.Place, new SlotTarget(left) { Watch = WatchUse.Trust, Next = commit == left ? null : commit }, cancellationToken)
            : null;

    /// <summary>Ends it where its result is not wanted, and waits until it has ended: nobody looks into a slot while somebody else works on it, or without its lock.</summary>
    public async ValueTask EndAsync()
    {
        await _unwanted.CancelAsync().ConfigureAwait(false);
        await ((Task)Result).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <inheritdoc cref="EndAsync"/>
    public async ValueTask DisposeAsync()
    {
        await EndAsync().ConfigureAwait(false);
        _unwanted.Dispose();
    }

    /// <summary>A backend may throw at once; here that waits until the result is wanted.</summary>
    private async Task<SlotProbe> RunAsync(IGitBackend git, SlotPlace place, SlotTarget target) =>
        await git.ProbeAsync(place, target, _unwanted.Token).ConfigureAwait(false);
}
