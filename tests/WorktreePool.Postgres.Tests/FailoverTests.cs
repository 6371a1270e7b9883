using Microsoft.Extensions.DependencyInjection;

namespace WorktreePool.Postgres.Tests;

/// <summary>The database changes over to a replica that lacks the last transactions. It has servers of its own.</summary>
public sealed class FailoverTests : IAsyncLifetime
{
    private readonly PostgresServer _primary = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => _primary.InitializeAsync();

    public ValueTask DisposeAsync() => _primary.DisposeAsync();

    [Fact]
    public async Task Leases_that_a_promoted_replica_has_forgotten_are_given_to_nobody_before_their_holders_know()
    {
        using var fleet = new Fleet(_primary);
        await using ServiceProvider owner = fleet.Open("host-a");
        await Fleet.OperatorOf(owner).InitializeAsync(Token);
        await using PostgresServer replica = await _primary.MakeLaggingStandbyAsync();
        string both = _primary.ConnectAs(PostgresServer.Dispatcher).Replace(_primary.Directory, $"{_primary.Directory},{replica.Directory}", StringComparison.Ordinal);
        await using ServiceProvider a = fleet.Open("host-a", both);
        await using ServiceProvider b = fleet.Open("host-b", both);
        await using SlotLease forgotten = await Fleet.PoolOf(a).ClaimAsync(new ClaimRequest { Key = "MC-1" }, Token);

        await _primary.CrashAsync();
        await replica.PromoteAsync();

        // Another host wants the key, and a claim on the same host could get the slot: both were free when the replica saw them last.
        SlotLease? key = null;
        List<SlotLease> slots = [];
        List<string> refusals = [];
        while (key is null || slots.TrueForAll(slot => slot.Slot != forgotten.Slot))
        {
            bool told = forgotten.LostToken.IsCancellationRequested;
            key ??= await TryClaimAsync(b, "MC-1", refusals);

            // The host's other slot may come first: one more claim gets this one then.
            if (await TryClaimAsync(a, $"MC-{2 + slots.Count}", refusals) is { } slot)
            {
                slots.Add(slot);
            }

            (told || (key is null && slots.TrueForAll(slot => slot.Slot != forgotten.Slot))).Should().BeTrue("neither its key nor its slot is given away before the holder is told");
        }

        refusals.Should().Contain(refusal => refusal.Contains("changed over to another server", StringComparison.Ordinal));
        await forgotten.Awaiting(lease => lease.ReleaseAsync(null, Token).AsTask()).Should().ThrowAsync<LeaseLostException>();
        await key.ReleaseAsync(null, Token);
        foreach (SlotLease slot in slots)
        {
            await slot.ReleaseAsync(null, Token);
        }
    }

    [Fact]
    public async Task Leases_that_the_replica_knows_go_on_and_can_be_released_at_once()
    {
        using var fleet = new Fleet(_primary);
        await using ServiceProvider owner = fleet.Open("host-a");
        SlotLease early = await Fleet.PoolOf(owner).ClaimAsync(new ClaimRequest { Key = "MC-1" }, Token);
        early.Detach();
        await using PostgresServer replica = await _primary.MakeLaggingStandbyAsync();
        await using ServiceProvider a = fleet.Open("host-a", replica.ConnectAs(PostgresServer.Dispatcher), options => (options.FailoverPause, options.OperationTimeout) = (TimeSpan.FromHours(1), TimeSpan.FromSeconds(1)));
        (await Fleet.PoolOf(a).Awaiting(pool => pool.TryClaimAsync(new ClaimRequest { Key = "MC-2" }, Token).AsTask()).Should().ThrowAsync<StateStoreException>())
            .Which.Message.Should().Contain("it is a standby", "it was not promoted yet");
        await _primary.CrashAsync();
        await replica.PromoteAsync();
        await using SlotLease lease = (await Fleet.PoolOf(a).TryAttachAsync(early.Token, Token))!;
        await lease.RenewAsync(Token);
        (await lease.ReleaseAsync(null, Token)).Slot.Should().Be(early.Slot);
        (await Fleet.PoolOf(a).Awaiting(pool => pool.TryClaimAsync(new ClaimRequest { Key = "MC-2" }, Token).AsTask()).Should().ThrowAsync<StateStoreException>())
            .Which.Message.Should().Contain("FailoverPause");
        PoolSnapshot snapshot = await Fleet.PoolOf(a).GetSnapshotAsync(Token);
        snapshot.Slots.Should().OnlyContain(slot => slot.Record.Version > 1_000_000, "a change that rests on a forgotten one must be refused");
    }

    private static async Task<SlotLease?> TryClaimAsync(ServiceProvider host, string key, List<string> refusals)
    {
        try
        {
            ClaimResult result = await Fleet.PoolOf(host).TryClaimAsync(new ClaimRequest { Key = key }, Token);
            return result.Lease;
        }
        catch (StateStoreException e)
        {
            refusals.Add(e.Message);
            return null;
        }
    }
}
