using WorktreePool.Lifecycle;

namespace WorktreePool.Runtime;

/// <summary>Finds leases that outlived whoever claimed them, and gives them a new holder.</summary>
internal sealed class Leases(PoolContext context)
{
    /// <summary>The live leases of a query, by slot number.</summary>
    public async ValueTask<IReadOnlyList<SlotSnapshot>> ListAsync(LeaseQuery query, CancellationToken cancellationToken)
    {
        PoolState state = await context.ReadAsync(cancellationToken).ConfigureAwait(false);
        DateTimeOffset now = context.Now;
        return [.. state.Slots
            .Where(record => record is { State: SlotState.Leased, Lease: not null } && Matches(record.Lease, query))
            .Select(record => new SlotSnapshot(record, context.LivenessOf(record), SlotLifecycle.IsOverdue(record, now)))
            .Where(slot => slot.Overdue || !query.OnlyOverdue)];
    }

    /// <summary>Gives a key's lease a new holder with a new token; the slot's content stays, and the old token is worth nothing from then on.</summary>
    /// <returns>Null when no lease has the key.</returns>
    public async ValueTask<ClaimOutcome?> TakeOverAsync(string key, LeaseOwner? owner, CancellationToken cancellationToken)
    {
        if (Names.WhyNotKey(key) is { } bad)
        {
            throw new ArgumentException(bad, nameof(key));
        }

        owner ??= LeaseOwner.ForProcess(context.Processes.Current);
        while (true)
        {
            PoolState state = await context.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (state.Slots.FirstOrDefault(record => record.State == SlotState.Leased && record.Host == context.Host && record.Lease?.Key == key) is not { } leased)
            {
                return null;
            }

            LeaseToken secret = LeaseToken.Create(leased.Slot, leased.Epoch + 1);
            StoreResult result = await context.Store.CompareAndSetAsync(
                leased.Version, SlotLifecycle.TakeOver(leased, owner, secret.Hash, context.Now, context.Uptime), cancellationToken).ConfigureAwait(false);
            if (result.Stored is { } stored)
            {
                return ClaimOutcome.Attached(stored, secret);
            }
        }
    }

    private static bool Matches(LeaseRecord lease, LeaseQuery query) =>
        lease.Key.StartsWith(query.KeyPrefix ?? "", StringComparison.Ordinal)
        && query.Metadata.All(note => lease.Metadata.TryGetValue(note.Key, out string? value) && value == note.Value);
}
