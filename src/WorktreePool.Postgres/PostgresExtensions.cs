using Microsoft.Extensions.DependencyInjection;
using WorktreePool.DependencyInjection;

namespace WorktreePool.Postgres;

/// <summary>Chooses the PostgreSQL store for a pool.</summary>
public static class PostgresExtensions
{
    /// <summary>
    /// Keeps the pool's state in PostgreSQL, for any number of hosts, each with its own slots on its own disks. The schema is made at first use.
    /// </summary>
    /// <param name="builder">The pool.</param>
    /// <param name="connectionString">See <see cref="PostgresOptions.ConnectionString"/>.</param>
    /// <param name="configure">Sets the other settings; null: their defaults.</param>
    /// <exception cref="PoolConfigurationException">When the pool is resolved: a setting is wrong.</exception>
    public static WorktreePoolBuilder UsePostgres(this WorktreePoolBuilder builder, string connectionString, Action<PostgresOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(connectionString);
        return builder.UseStore((services, options) =>
        {
            var settings = new PostgresOptions { ConnectionString = connectionString, Pool = builder.Name };
            configure?.Invoke(settings);
            return new PostgresSlotStateStore(
                settings, HostIdentity.Of(services.GetRequiredService<IProcessTable>().Current), options.PoolDirectory, services.GetService<TimeProvider>() ?? TimeProvider.System);
        });
    }
}
