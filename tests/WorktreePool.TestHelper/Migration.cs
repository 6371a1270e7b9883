using Microsoft.Extensions.DependencyInjection;
using WorktreePool.DependencyInjection;
using WorktreePool.FileState;

namespace WorktreePool.TestHelper;

/// <summary>A move of a pool's state between files and the database, with crash points at every step.</summary>
internal static class Migration
{
    public static async Task<int> RunAsync(string root, string to)
    {
        await using ServiceProvider files = Open(root, builder => builder.UseFileState());
        await using ServiceProvider database = Open(root, builder => TestStore.UsePostgres(builder));
        (ServiceProvider from, ServiceProvider into) = to == "files" ? (database, files) : (files, database);
        Crash.Arm();
        await StateMove.RunAsync(new CrashingMove("from", StoreOf(from)), new CrashingMove("to", StoreOf(into)));
        Crash.Disarm();
        return 0;
    }

    private static ServiceProvider Open(string root, Action<WorktreePoolBuilder> use)
    {
        var services = new ServiceCollection();
        use(services.AddWorktreePool("p", options => (options.RepositoryPath, options.PoolDirectory) = (Path.Combine(root, "repo"), Path.Combine(root, "pool"))));
        return services.BuildServiceProvider();
    }

    private static IMovableStateStore StoreOf(ServiceProvider services) => (IMovableStateStore)services.GetRequiredKeyedService<ISlotStateStore>("p");

    private sealed class CrashingMove(string which, IMovableStateStore inner) : IMovableStateStore
    {
        public ValueTask<MoveMark?> ReadMoveAsync(CancellationToken cancellationToken) => inner.ReadMoveAsync(cancellationToken);

        public ValueTask ExpectAsync(Guid id, CancellationToken cancellationToken) => Crash.AroundAsync($"{which} expected", () => inner.ExpectAsync(id, cancellationToken));

        public ValueTask<StatePart> LeaveAsync(Guid id, CancellationToken cancellationToken) => Crash.AroundAsync($"{which} left", () => inner.LeaveAsync(id, cancellationToken));

        public ValueTask ArriveAsync(Guid id, StatePart part, CancellationToken cancellationToken) => Crash.AroundAsync($"{which} arrived", () => inner.ArriveAsync(id, part, cancellationToken));

        public ValueTask<PoolState> ReadAsync(CancellationToken cancellationToken) => inner.ReadAsync(cancellationToken);

        public ValueTask<StoreResult> CompareAndSetAsync(long expectedVersion, SlotRecord next, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<bool> RemoveAsync(string slot, long expectedVersion, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<bool> CompareAndSetPoolAsync(long expectedVersion, PoolRecord next, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask WaitForChangeAsync(string stamp, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<IAsyncDisposable?> TryLockSlotAsync(string slot, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask AppendHistoryAsync(HistoryEntry entry, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<IReadOnlyList<HistoryEntry>> ReadHistoryAsync(HistoryQuery query, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<bool> PruneHistoryAsync(DateTimeOffset before, long limit, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
