namespace WorktreePool.Testing;

/// <summary>What a test expects of a pool, for every test framework: each throws a <see cref="PoolAssertionException"/> that says how the pool is instead.</summary>
public static class PoolAssert
{
    /// <summary>A live lease has the key.</summary>
    /// <param name="pool">The pool.</param>
    /// <param name="key">The key.</param>
    /// <returns>The slot that is held.</returns>
    public static async Task<SlotSnapshot> IsHeldAsync(IWorktreePool pool, string key)
    {
        PoolSnapshot snapshot = await ReadAsync(pool).ConfigureAwait(false);
        return snapshot.Slots.FirstOrDefault(slot => slot.Record.State == SlotState.Leased && slot.Record.Lease!.Key == key && slot.OwnerLiveness != Liveness.Dead)
            ?? throw Failed($"a live lease for \"{key}\"", snapshot);
    }

    /// <summary>No lease has the key.</summary>
    /// <param name="pool">The pool.</param>
    /// <param name="key">The key.</param>
    public static async Task IsNotHeldAsync(IWorktreePool pool, string key)
    {
        PoolSnapshot snapshot = await ReadAsync(pool).ConfigureAwait(false);
        if (snapshot.Slots.Any(slot => slot.Record.Lease?.Key == key))
        {
            throw Failed($"no lease for \"{key}\"", snapshot);
        }
    }

    /// <summary>So many slots are free, and all others are held by whoever lives: none is quarantined, half done, or held by the dead.</summary>
    /// <param name="pool">The pool.</param>
    /// <param name="free">How many are free.</param>
    public static async Task NoSlotIsLostAsync(IWorktreePool pool, int free)
    {
        PoolSnapshot snapshot = await ReadAsync(pool).ConfigureAwait(false);
        int held = snapshot.Slots.Count(slot => slot.Record.State == SlotState.Leased && slot.OwnerLiveness != Liveness.Dead);
        if (snapshot.Counts.Free != free || snapshot.Counts.Free + held != snapshot.Counts.Total)
        {
            throw Failed($"{free} free slots and all others held by the living", snapshot);
        }
    }

    /// <summary>Every free slot is really ready in git, and the pool has destroyed no work and disturbed no slot; see <see cref="ScriptedGitBackend.Violations"/>.</summary>
    /// <param name="pool">The pool.</param>
    public static async Task IsSoundAsync(TestPool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        PoolSnapshot snapshot = await ReadAsync(pool.Pool).ConfigureAwait(false);
        foreach (SlotRecord record in snapshot.Slots.Select(slot => slot.Record).Where(record => record is { State: SlotState.Free, Commit: not null }))
        {
            SlotProbe probe = await pool.Git.ProbeAsync(record.Place, new SlotTarget(record.Commit!), CancellationToken.None).ConfigureAwait(false);
            if (!probe.IsReady)
            {
                throw Failed($"{record.Slot} to be ready, and it has {string.Join("; ", probe.Findings)}", snapshot);
            }
        }

        if (pool.Git.Violations is { Count: > 0 } violations)
        {
            throw Failed($"no violation, but: {string.Join("; ", violations)}", snapshot);
        }
    }

    /// <summary>A claim was refused, and why.</summary>
    /// <param name="result">The claim's result.</param>
    /// <param name="reason">The expected reason.</param>
    public static ClaimRefusal IsRefused(ClaimResult result, RefusalReason reason)
    {
        ArgumentNullException.ThrowIfNull(result);
        return result.Refusal is { } refusal && refusal.Reason == reason
            ? refusal
            : throw new PoolAssertionException($"Expected a refusal because of {reason}, but the claim {(result.Refusal is { } other ? $"was refused because of {other.Reason}: {other.Message}" : $"got {result.Lease!.Slot}")}.");
    }

    private static async Task<PoolSnapshot> ReadAsync(IWorktreePool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        return await pool.GetSnapshotAsync(CancellationToken.None).ConfigureAwait(false);
    }

    private static PoolAssertionException Failed(string expected, PoolSnapshot snapshot) => new(
        $"Expected {expected}. The pool: {string.Join(", ", snapshot.Slots.Select(slot => $"{slot.Record.Slot} {slot.Record.State.ToString().ToLowerInvariant()}{(slot.Record.Lease is { } lease ? $" for \"{lease.Key}\" (owner {slot.OwnerLiveness.ToString().ToLowerInvariant()})" : "")}"))}.");
}

/// <summary>A pool is not as a test expects.</summary>
/// <param name="message">What was expected, and how it is.</param>
public sealed class PoolAssertionException(string message) : Exception(message);
