using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace WorktreePool.Hosting;

/// <summary>Health checks of pools.</summary>
public static class HealthCheckExtensions
{
    /// <summary>
    /// Checks a pool: degraded while a slot is quarantined, none is free, a holder is overdue, the pool is paused or its base is old; the failure status when its state cannot be read.
    /// </summary>
    /// <param name="builder">The health checks.</param>
    /// <param name="pool">The pool's name.</param>
    /// <param name="oldestBase">How long ago the base may have been fetched; null: an hour. <see cref="Timeout.InfiniteTimeSpan"/>: whenever.</param>
    /// <param name="name">The check's name; null: <c>worktree-pool-</c> and the pool's name.</param>
    /// <param name="failureStatus">What an unreadable pool is; null: unhealthy.</param>
    /// <param name="tags">Tags of the check.</param>
    public static IHealthChecksBuilder AddWorktreePool(
        this IHealthChecksBuilder builder, string pool, TimeSpan? oldestBase = null, string? name = null, HealthStatus? failureStatus = null, IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(pool);
        TimeSpan? oldest = oldestBase == Timeout.InfiniteTimeSpan ? null : oldestBase ?? TimeSpan.FromHours(1);
        return builder.Add(new HealthCheckRegistration(
            name ?? $"worktree-pool-{pool}",
            provider => new PoolHealthCheck(
                provider.GetRequiredKeyedService<IWorktreePool>(pool), provider.GetRequiredKeyedService<ISlotStateStore>(pool), provider.GetRequiredService<TimeProvider>(), oldest),
            failureStatus, tags));
    }
}
