using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace WorktreePool.Hosting;

/// <summary>
/// Degraded while a slot is quarantined, no slot is to be had, a holder is overdue, the pool is paused or its base was not fetched for too long; unhealthy when its state cannot be read. The
/// description says which, the data how much.
/// </summary>
internal sealed class PoolHealthCheck(IWorktreePool pool, ISlotStateStore store, TimeProvider time, TimeSpan? oldestBase) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        try
        {
            PoolSnapshot snapshot = await pool.GetSnapshotAsync(cancellationToken).ConfigureAwait(false);
            BaseRecord? known = (await store.ReadAsync(cancellationToken).ConfigureAwait(false)).Pool.Base;
            TimeSpan? age = (store.Clock ?? time).GetUtcNow() - known?.FetchedAt;
            PoolCounts counts = snapshot.Counts;
            string[] overdue = [.. snapshot.Slots.Where(slot => slot.Overdue).Select(slot => slot.Record.Slot)];
            List<string> problems = [];
            void Tell(bool holds, string problem)
            {
                if (holds)
                {
                    problems.Add(problem);
                }
            }

            Tell(snapshot.Paused is not null, $"it is paused: {snapshot.Paused?.Reason}");
            Tell(counts.Quarantined > 0, $"{counts.Quarantined} of {counts.Total} slots are quarantined");
            Tell(counts.Total > 0 && counts.Free + counts.Absent == 0, $"no slot is free ({counts})");
            Tell(overdue.Length > 0, $"{string.Join(", ", overdue)}: the holder has not checked in in time");
            Tell(oldestBase is not null && snapshot.BaseRef.StartsWith("refs/remotes/", StringComparison.Ordinal) && !(age <= oldestBase),
                $"its base was {(age is null ? "never fetched" : $"last fetched {age.Value.TotalSeconds:0} s ago")} (more than {oldestBase?.TotalSeconds:0} s)");
            var data = new Dictionary<string, object>
            {
                ["total"] = counts.Total,
                ["free"] = counts.Free,
                ["leased"] = counts.Leased,
                ["quarantined"] = counts.Quarantined,
                ["overdue"] = overdue.Length,
                ["baseAgeSeconds"] = age?.TotalSeconds ?? -1,
            };
            return problems.Count == 0
                ? HealthCheckResult.Healthy(counts.ToString(), data)
                : new HealthCheckResult(HealthStatus.Degraded, $"Pool \"{snapshot.Pool}\": {string.Join("; ", problems)}", data: data);
        }
        catch (WorktreePoolException e)
        {
            return new HealthCheckResult(context.Registration.FailureStatus, e.Message, e);
        }
    }
}
