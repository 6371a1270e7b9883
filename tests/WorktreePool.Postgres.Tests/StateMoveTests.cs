using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using WorktreePool.DependencyInjection;
using WorktreePool.FileState;

namespace WorktreePool.Postgres.Tests;

/// <summary>A pool's state moves from files to PostgreSQL and back. At no moment are both in use, and at the end exactly the new one is.</summary>
public sealed class StateMoveTests(PostgresServer server) : IAsyncDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("wp-move-").FullName;
    private readonly string _pool = server.NewName();
    private readonly List<ISlotStateStore> _opened = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Records_and_history_move_and_come_back()
    {
        IMovableStateStore files = Files(), database = Database();
        await FillAsync(files);
        IReadOnlyList<SlotRecord> before = (await files.ReadAsync(Token)).Slots;
        PoolRecord pool = (await files.ReadAsync(Token)).Pool;
        IReadOnlyList<HistoryEntry> told = await files.ReadHistoryAsync(new HistoryQuery(), Token);

        (await StateMove.RunAsync(files, database, Token))!.Slots.Should().HaveCount(2);
        PoolState there = await database.ReadAsync(Token);
        there.Slots.Should().BeEquivalentTo(before);
        there.Pool.Should().Be(pool);
        (await database.ReadHistoryAsync(new HistoryQuery(), Token)).Should().BeEquivalentTo(told, options => options.WithStrictOrdering());
        (await StateMove.RunAsync(files, database, Token)).Should().BeNull("a second run finds it done");

        SlotRecord changed = (await database.CompareAndSetAsync(there.Slots[0].Version, there.Slots[0] with { Epoch = 40 }, Token)).Stored!;
        await database.AppendHistoryAsync(new HistoryEntry { At = DateTimeOffset.UnixEpoch, Event = HistoryEvent.Healed, Slot = "slot-0", Host = Environment.MachineName, Epoch = 40 }, Token);
        await StateMove.RunAsync(database, files, Token);
        (await files.ReadAsync(Token)).Slots.Should().BeEquivalentTo([changed, before[1]]);
        (await files.ReadHistoryAsync(new HistoryQuery(), Token)).Select(entry => entry.Epoch).Should().Equal([40, .. told.Select(entry => entry.Epoch)], "nothing is told twice");

        await StateMove.RunAsync(files, database, Token);
        (await database.ReadHistoryAsync(new HistoryQuery(), Token)).Should().HaveCount(told.Count + 1);
        await MustRefuseAsync(files);
    }

    [Fact]
    public async Task A_long_history_moves_in_parts_and_a_repetition_brings_none_twice()
    {
        IMovableStateStore from = Database("-from"), to = Database("-to");
        await FillAsync(from);
        const int More = PostgresSlotStateStore.AtOnce * 2;
        await server.ExecuteAsync(
            $$"""
            INSERT INTO {{PostgresServer.SharedSchema}}.history (pool, host, slot, change, entry)
            SELECT pool, host, slot, gen_random_uuid(), entry || jsonb_build_object('epoch', 3 + n)
            FROM (SELECT * FROM {{PostgresServer.SharedSchema}}.history WHERE pool = '{{_pool}}-from' ORDER BY id DESC LIMIT 1) last, generate_series(1, {{More}}) n
            """);
        await to.ExpectAsync(Guid.Empty, Token);
        StatePart part = await from.LeaveAsync(Guid.Empty, Token);
        part.History.Select(entry => entry.Epoch).Should().Equal(Enumerable.Range(1, More + 3).Select(epoch => (long)epoch));

        // Killed after a part of it.
        await to.ArriveAsync(Guid.Empty, part with { History = [.. part.History.Take(PostgresSlotStateStore.AtOnce)] }, Token);
        await server.ExecuteAsync($"UPDATE {PostgresServer.SharedSchema}.move SET stage = 'expected' WHERE pool = '{_pool}-to'");
        await to.ArriveAsync(Guid.Empty, part, Token);
        (await to.ReadHistoryAsync(new HistoryQuery(Limit: More * 2), Token)).Select(entry => entry.Epoch).Should().Equal(part.History.Reverse().Select(entry => entry.Epoch));
    }

    [Fact]
    public async Task The_store_that_was_left_refuses_every_use_and_says_why()
    {
        IMovableStateStore files = Files(), database = Database();
        await FillAsync(files);
        await StateMove.RunAsync(files, database, Token);
        await MustRefuseAsync(files);
        await MustRefuseAsync(Files());
        await StateMove.RunAsync(database, files, Token);
        await MustRefuseAsync(database);
        await MustRefuseAsync(Database());
    }

    [Theory]
    [InlineData(SlotState.Leased)]
    [InlineData(SlotState.Preparing)]
    [InlineData(SlotState.Cleaning)]
    public async Task Slots_in_use_do_not_move(SlotState state)
    {
        foreach ((IMovableStateStore from, IMovableStateStore to) in new[] { (Files(), Database()), (Database("other"), Files("other")) })
        {
            await FillAsync(from);
            SlotRecord slot = (await from.ReadAsync(Token)).Slots[0];
            var lease = new LeaseRecord { Key = "MC-1", TokenHash = "00", Owner = LeaseOwner.ForDuration(TimeSpan.FromHours(1)) };
            slot = (await from.CompareAndSetAsync(slot.Version, slot with { State = state, Lease = lease }, Token)).Stored!;
            (await from.Awaiting(store => StateMove.RunAsync(store, to, Token).AsTask()).Should().ThrowAsync<StateStoreException>()).Which.Message.Should().Contain("slot-0").And.Contain("MC-1");

            // Also when a claim comes after the first look.
            var id = Guid.NewGuid();
            await to.ExpectAsync(id, Token);
            await from.Awaiting(store => store.LeaveAsync(id, Token).AsTask()).Should().ThrowAsync<StateStoreException>();
            (await from.CompareAndSetAsync(slot.Version, slot with { State = SlotState.Free, Lease = null }, Token)).Applied.Should().BeTrue("it is still in use");
            await StateMove.RunAsync(from, to, Token);
            (await to.ReadAsync(Token)).Slots.Should().HaveCount(2);
        }
    }

    [Fact]
    public async Task A_store_in_use_is_not_overwritten()
    {
        IMovableStateStore files = Files(), database = Database();
        await FillAsync(files);
        await FillAsync(database);
        (await files.Awaiting(store => StateMove.RunAsync(store, database, Token).AsTask()).Should().ThrowAsync<StateStoreException>()).Which.Message.Should().Contain("in use");
        (await files.ReadAsync(Token)).Slots.Should().HaveCount(2);
        (await database.ReadAsync(Token)).Slots.Should().HaveCount(2);
    }

    [Theory]
    [InlineData("postgres")]
    [InlineData("files")]
    public async Task Killed_at_any_moment_and_repeated_exactly_one_store_is_in_use(string to)
    {
        bool back = to == "files";
        IReadOnlyList<string> points = await TraceAsync(to);
        points.Should().Contain(point => point.EndsWith("after from left", StringComparison.Ordinal));
        foreach (string point in points)
        {
            string name = $"{to}-{point.Replace(' ', '-')}";
            (IMovableStateStore from, IMovableStateStore into) = back ? (Database(name), Files(name)) : (Files(name), Database(name));
            await FillAsync(from);
            (await RunHelperAsync(name, to, "WORKTREE_POOL_CRASH_AT", point)).Should().Be(137, point);

            bool fromLives = await IsInUseAsync(from), intoLives = await IsInUseAsync(into);
            (fromLives && intoLives).Should().BeFalse("killed at {0}", point);
            if (intoLives)
            {
                await MustRefuseAsync(from);
            }

            await StateMove.RunAsync(from, into, Token);
            (await into.ReadAsync(Token)).Slots.Select(slot => slot.Slot).Should().Equal("slot-0", "slot-1");
            (await into.ReadHistoryAsync(new HistoryQuery(), Token)).Should().HaveCount(3, "killed at {0}", point);
            await MustRefuseAsync(from);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (ISlotStateStore store in _opened)
        {
            await store.DisposeAsync();
        }

        new DirectoryInfo(_root).Delete(recursive: true);
    }

    private IMovableStateStore Files(string name = "")
    {
        var services = new ServiceCollection();
        services.AddWorktreePool("p", options => (options.RepositoryPath, options.PoolDirectory) = (_root, PoolDirectory(name))).UseFileState();
        return Opened((IMovableStateStore)services.BuildServiceProvider().GetRequiredKeyedService<ISlotStateStore>("p"));
    }


    private IMovableStateStore Database(string name = "") => Opened<IMovableStateStore>(new PostgresSlotStateStore(
        new PostgresOptions { ConnectionString = server.ConnectAs(PostgresServer.Dispatcher), Pool = _pool + name }, new HostIdentity(Environment.MachineName, "", null), PoolDirectory(name), TimeProvider.System));

    private string PoolDirectory(string name) => Directory.CreateDirectory(Path.Combine(_root, "root" + name, "pool")).FullName;

    private T Opened<T>(T store)
        where T : ISlotStateStore
    {
        _opened.Add(store);
        return store;
    }

    private static async Task FillAsync(ISlotStateStore store)
    {
        for (int i = 0; i < 2; i++)
        {
            var slot = new SlotRecord { Slot = $"slot-{i}", Host = Environment.MachineName, Path = $"/p/{i}", State = SlotState.Free, Commit = "c" };
            (await store.CompareAndSetAsync(0, slot, Token)).Applied.Should().BeTrue();
        }

        await store.CompareAndSetPoolAsync(0, new PoolRecord { Base = new BaseRecord("refs/heads/main", "c", DateTimeOffset.UnixEpoch) }, Token);
        for (int epoch = 1; epoch <= 3; epoch++)
        {
            await store.AppendHistoryAsync(
                new HistoryEntry { At = DateTimeOffset.UnixEpoch, Event = HistoryEvent.Provisioned, Slot = "slot-0", Host = Environment.MachineName, Epoch = epoch, Detail = "it's" }, Token);
        }
    }

    private static async Task<bool> IsInUseAsync(ISlotStateStore store)
    {
        try
        {
            return (await store.ReadAsync(Token)).Slots.Count > 0;
        }
        catch (StateMovedException)
        {
            return false;
        }
    }

    private static async Task MustRefuseAsync(ISlotStateStore store)
    {
        (await store.Awaiting(s => s.ReadAsync(Token).AsTask()).Should().ThrowAsync<StateMovedException>()).Which.Message.Should().Contain("migrate");
        var slot = new SlotRecord { Slot = "slot-9", Host = Environment.MachineName, Path = "/p" };
        await store.Awaiting(s => s.CompareAndSetAsync(0, slot, Token).AsTask()).Should().ThrowAsync<StateMovedException>();
    }

    private async Task<IReadOnlyList<string>> TraceAsync(string to)
    {
        IMovableStateStore from = to == "files" ? Database(to) : Files(to);
        await FillAsync(from);
        string trace = Path.Combine(_root, "trace-" + to);
        (await RunHelperAsync(to, to, "WORKTREE_POOL_CRASH_TRACE", trace)).Should().Be(0);
        return await File.ReadAllLinesAsync(trace, Token);
    }

    private async Task<int> RunHelperAsync(string name, string to, string variable, string value)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "WorktreePool.TestHelper.dll"), "migrate", Path.Combine(_root, "root" + name), to]);
        start.Environment[variable] = value;
        foreach ((string setting, string text) in HelperEnvironment.Of(server, _pool + name))
        {
            start.Environment[setting] = text;
        }

        using var process = System.Diagnostics.Process.Start(start)!;
        await process.WaitForExitAsync(Token);
        return process.ExitCode;
    }
}
