using Npgsql;

namespace WorktreePool.Postgres;

/// <summary>What concerns all hosts: check-ins, capacity, the leases of the silent.</summary>
internal sealed partial class PostgresSlotStateStore
{
    /// <summary>How many starts of a machine are remembered.</summary>
    private const int Boots = 8;

    public TimeSpan HostTimeout => _options.HostTimeout;

    public async ValueTask CheckInAsync(CancellationToken cancellationToken)
    {
        string? other = await RunAsync(
            $"{_host} could not check in",
            async (connection, _, token) =>
            {
                // Another machine may have the name once this one is silent. Until then, whoever is neither the same machine nor new since its start is a second one:
                // no machine comes back to an earlier start.
                using var command = new NpgsqlCommand(
                    $"""
                    INSERT INTO {_hosts} AS h (pool, host, checked_in_at, machine, boots) VALUES ($1, $2, clock_timestamp(), $3, ARRAY[$4])
                    ON CONFLICT (pool, host) DO UPDATE SET checked_in_at = greatest(h.checked_in_at, excluded.checked_in_at),
                        machine = coalesce(excluded.machine, h.machine), boots = CASE WHEN $4 IN ('', h.boots[1]) THEN h.boots ELSE ($4 || array_remove(h.boots, $4))[1:{Boots}] END
                    WHERE h.checked_in_at < clock_timestamp() - $5 * interval '1 second'
                        OR (coalesce(h.machine = excluded.machine, true) AND ($4 IN ('', h.boots[1]) OR $4 <> ALL (h.boots)))
                    """, connection)
                {
                    Parameters = { Text(_options.Pool), Text(_host), Text(_identity.Machine), Text(_identity.Boot), Seconds(_options.HostTimeout) },
                };
                if (await command.ExecuteNonQueryAsync(token).ConfigureAwait(false) == 1)
                {
                    return null;
                }

                using var find = new NpgsqlCommand($"SELECT checked_in_at FROM {_hosts} WHERE pool = $1 AND host = $2", connection) { Parameters = { Text(_options.Pool), Text(_host) } };
                return $"{await find.ExecuteScalarAsync(token).ConfigureAwait(false):u}";
            },
            cancellationToken).ConfigureAwait(false);
        _isKnown = other is null ? true : throw new StateStoreException(
            $"Another machine goes by the name {_host} in pool \"{_options.Pool}\": it checked in at {other}. Two of one name would take each other's slots. Nothing was changed, and no slot is claimed or cleaned here. "
            + $"Name this one with --host-name (NameWorktreePoolHost); or, where it has taken the other's place, end the other and wait until it has been silent for {_options.HostTimeout.TotalSeconds:0.###} s.");
    }

    public ValueTask<IReadOnlyList<HostState>> ReadHostsAsync(CancellationToken cancellationToken) =>
        LookAsync<IReadOnlyList<HostState>>(
            "The fleet's state was not read",
            async (connection, _, token) =>
            {
                using var command = new NpgsqlCommand(
                    $"""
                    SELECT coalesce(h.host, s.host), h.checked_in_at, coalesce(h.checked_in_at >= clock_timestamp() - $2 * interval '1 second', false),
                        s.free, s.leased, s.preparing, s.cleaning, s.quarantined, s.absent, s.ready
                    FROM (SELECT host,
                            count(*) FILTER (WHERE state = 'free') AS free, count(*) FILTER (WHERE state = 'leased') AS leased,
                            count(*) FILTER (WHERE state = 'preparing') AS preparing, count(*) FILTER (WHERE state = 'cleaning') AS cleaning,
                            count(*) FILTER (WHERE state = 'quarantined') AS quarantined, count(*) FILTER (WHERE state = 'absent') AS absent,
                            count(*) FILTER (WHERE state = 'free' AND commit = (SELECT record->'base'->>'commit' FROM {_pool} WHERE pool = $1)) AS ready
                          FROM {_slots} WHERE pool = $1 GROUP BY host) s
                    FULL JOIN (SELECT host, checked_in_at FROM {_hosts} WHERE pool = $1) h ON h.host = s.host
                    WHERE NOT EXISTS (SELECT 1 FROM {_moves} m WHERE m.pool = $1 AND m.host = coalesce(h.host, s.host) AND m.stage <> 'arrived')
                    ORDER BY 1
                    """,
                    connection)
                { Parameters = { Text(_options.Pool), Seconds(_options.HostTimeout) } };
                using NpgsqlDataReader reader = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
                List<HostState> hosts = [];
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    int[] n = [.. Enumerable.Range(3, 7).Select(column => reader.IsDBNull(column) ? 0 : (int)reader.GetInt64(column))];
                    hosts.Add(new HostState(
                        reader.GetString(0), reader.IsDBNull(1) ? null : reader.GetFieldValue<DateTimeOffset>(1), reader.GetBoolean(2),
                        new PoolCounts(n[..6].Sum(), n[0], n[1], n[2], n[3], n[4], n[5]), n[6]));
                }

                return hosts;
            },
            cancellationToken);

    public ValueTask<IReadOnlyList<SlotRecord>> ReadStrandedAsync(CancellationToken cancellationToken) =>
        LookAsync<IReadOnlyList<SlotRecord>>(
            "The leases of silent hosts were not read",
            async (connection, _, token) =>
            {
                // A host whose check-ins were deleted counts as silent from now on, not never.
                using var command = new NpgsqlCommand(
                    $"""
                    WITH unknown AS (
                        INSERT INTO {_hosts} (pool, host, checked_in_at) SELECT DISTINCT s.pool, s.host, clock_timestamp() FROM {_slots} s
                        WHERE s.pool = $1 AND s.key IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {_hosts} h WHERE h.pool = s.pool AND h.host = s.host)
                        ON CONFLICT DO NOTHING)
                    SELECT s.slot, s.version, s.record::text, s.host FROM {_slots} s JOIN {_hosts} h ON h.pool = s.pool AND h.host = s.host
                    WHERE s.pool = $1 AND s.host <> $2 AND s.key IS NOT NULL AND h.checked_in_at < clock_timestamp() - $3 * interval '1 second'
                    """,
                    connection)
                { Parameters = { Text(_options.Pool), Text(_host), Seconds(_options.HostTimeout) } };
                return await ReadRecordsAsync(command, token).ConfigureAwait(false);
            },
            cancellationToken);

    public ValueTask<bool> RemoveHostAsync(string host, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(host);
        return RunAsync(
            $"{host} was not removed",
            async (connection, attempt, token) =>
            {
                using var command = new NpgsqlCommand(
                    $"""
                    WITH silent AS (DELETE FROM {_hosts} WHERE pool = $1 AND host = $2 AND checked_in_at < clock_timestamp() - $3 * interval '1 second' RETURNING 1),
                         slots AS (DELETE FROM {_slots} WHERE pool = $1 AND host = $2 AND EXISTS (SELECT 1 FROM silent) RETURNING 1)
                    SELECT EXISTS (SELECT 1 FROM silent), EXISTS (SELECT 1 FROM {_hosts} WHERE pool = $1 AND host = $2)
                    """,
                    connection)
                { Parameters = { Text(_options.Pool), Text(host), Seconds(_options.HostTimeout) } };
                using NpgsqlDataReader reader = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
                await reader.ReadAsync(token).ConfigureAwait(false);

                // In a repetition, a host that is gone was removed by the first try.
                return reader.GetBoolean(0) || (attempt > 0 && !reader.GetBoolean(1));
            },
            cancellationToken);
    }

    private static NpgsqlParameter<double> Seconds(TimeSpan value) => new() { TypedValue = value.TotalSeconds };
}
