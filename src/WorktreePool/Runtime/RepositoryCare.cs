namespace WorktreePool.Runtime;

/// <summary>Keeps the repository of an isolated pool as it was made. Over a user's repository nothing is done.</summary>
internal sealed class RepositoryCare(PoolContext context)
{
    /// <summary>Puts files and damaged refs back; what was not as it should be.</summary>
    public ValueTask<IReadOnlyList<Finding>> RestoreAsync(CancellationToken cancellationToken) =>
        context.Git.Isolated is { } isolated ? isolated.RestoreAsync(cancellationToken) : new([]);

    /// <summary>Removes refs that no live lease can own; the rescues that were made.</summary>
    /// <param name="ready">The slot that has just been made ready; null for none.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    public ValueTask<IReadOnlyList<Rescue>> SweepAsync(SlotRecord? ready, CancellationToken cancellationToken)
    {
        if (context.Git.Isolated is not { } isolated)
        {
            return new([]);
        }

        // A claim's own lease has made nothing yet: what is in the slot is of the one before, whose key is not known any more.
        LeaseRecord? ended = ready is { State: SlotState.Cleaning } ? ready.Lease : null;
        return isolated.SweepAsync(new RefSweep(ready?.Place, ended?.Key, ended?.Releasing == ReleaseMode.Discard, context.Now, ReadUseAsync), cancellationToken);
    }

    private async ValueTask<RepositoryUse> ReadUseAsync(CancellationToken cancellationToken)
    {
        PoolState state = await context.ReadAsync(cancellationToken).ConfigureAwait(false);
        return new RepositoryUse([.. state.Slots.Select(record => new RepositoryUser(record.Place, IsInUse(record), Branches(record)))], state.Pool.Base);
    }

    /// <summary>A slot that is still to be cleaned needs its refs, too: its own cleaning rescues what is at them, under its own name.</summary>
    private static bool IsInUse(SlotRecord record) => record.State is not (SlotState.Free or SlotState.Absent);

    private static List<string> Branches(SlotRecord record) => [.. new[] { record.Lease?.Branch, record.EndedBranch }.OfType<string>().Distinct()];
}
