using WorktreePool.Testing.Conformance;

namespace WorktreePool.Postgres.Tests;

/// <summary>The PostgreSQL store is a store like any other.</summary>
[ConformanceOf(typeof(PostgresSlotStateStore))]
public sealed class PostgresStoreConformanceTests(PostgresServer server) : SlotStateStoreConformance
{
    private readonly FleetPool _pool = new(server);

    protected override ISlotStateStore Open() => _pool.Open(Host);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _pool.Dispose();
    }
}
