using WorktreePool.DependencyInjection;
using WorktreePool.FileState;
using WorktreePool.Postgres;

namespace WorktreePool.TestHelper;

/// <summary>Which store a test wants: files, unless the environment names a database and a pool in it.</summary>
internal static class TestStore
{
    public const string Connection = "WORKTREE_POOL_TEST_POSTGRES";

    public const string Pool = "WORKTREE_POOL_TEST_POSTGRES_POOL";

    public static void Use(WorktreePoolBuilder builder)
    {
        if (Environment.GetEnvironmentVariable(Connection) is null)
        {
            builder.UseFileState();
        }
        else
        {
            UsePostgres(builder);
        }
    }

    public static void UsePostgres(WorktreePoolBuilder builder, Action<PostgresOptions>? configure = null) =>
        builder.UsePostgres(Environment.GetEnvironmentVariable(Connection)!, options =>
        {
            options.Pool = Environment.GetEnvironmentVariable(Pool)!;
            configure?.Invoke(options);
        });
}
