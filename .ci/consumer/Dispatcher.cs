using WorktreePool;

namespace Consumer;

/// <summary>What a team writes around a pool.</summary>
public sealed class Dispatcher(IWorktreePool pool)
{
    /// <summary>The tickets that got a slot now; the others come again.</summary>
    public async Task<IReadOnlyList<SlotLease>> DispatchAsync(params string[] tickets)
    {
        BatchClaim batch = await pool.ClaimWhatFitsAsync([.. tickets.Select(ticket => new ClaimRequest { Key = ticket })]);
        return [.. batch.Results.Select(result => result.Lease).OfType<SlotLease>()];
    }
}
