using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;

namespace WorktreePool.Postgres.Tests;

/// <summary>The connection string may hold a password, a lease has a token: neither is told to anybody who did not have it.</summary>
public sealed class SecretTests(PostgresServer server)
{
    private const string Password = "hunter2";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nothing_that_is_logged_thrown_or_stored_holds_a_password_or_a_token()
    {
        using var fleet = new Fleet(server);
        using var proxy = new CutableProxy(server.Socket);
        using var told = new Told();
        await using ServiceProvider host = fleet.Open("host-a", proxy.ConnectionString + $";Password={Password}", logs: told);
        SlotLease lease = await Fleet.PoolOf(host).ClaimAsync(new ClaimRequest { Key = "MC-1" }, Token);
        SlotLease second = await Fleet.PoolOf(host).ClaimAsync(new ClaimRequest { Key = "MC-2" }, Token);
        proxy.CutAll();
        await lease.ReleaseAsync(null, Token);
        proxy.Silence();
        Exception e = (await Fleet.PoolOf(host).Awaiting(pool => pool.TryClaimAsync(new ClaimRequest { Key = "MC-3" }, Token).AsTask()).Should().ThrowAsync<StateStoreException>()).Which;

        // The watch over the second lease tells that it cannot see it; or it waits for word from the database, and tells its holder when that takes too long.
        CancellationToken lost = second.LostToken;
        await WhenAsync(() => lost.IsCancellationRequested || told.Lines.Any(line => line.Contains("OperationTimeout", StringComparison.Ordinal)));
        proxy.Restore();
        string all = string.Join('\n', [.. told.Lines, e.ToString(), JsonSerializer.Serialize(await Fleet.OperatorOf(host).GetHistoryAsync(new HistoryQuery(), Token))]);
        all.Should().Contain("MC-1").And.NotContain(Password).And.NotContain(lease.Token.Value).And.NotContain(second.Token.Value);
    }

    [Fact]
    public async Task A_role_that_lacks_a_right_is_told_which_page_lists_them()
    {
        using var pool = new FleetPool(server, alone: true);
        await using (PostgresSlotStateStore owner = pool.Open())
        {
            await owner.ReadAsync(Token);
        }

        await using PostgresSlotStateStore other = pool.Open(connectionString: server.ConnectAs(PostgresServer.Dispatcher));
        (await other.Awaiting(store => store.ReadAsync(Token).AsTask()).Should().ThrowAsync<StateStoreException>())
            .Which.Message.Should().Contain("permission denied").And.Contain("docs/fleet.md");
    }

    private static async Task WhenAsync(Func<bool> condition)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!condition())
        {
            await timer.WaitForNextTickAsync(Token);
        }
    }
}
