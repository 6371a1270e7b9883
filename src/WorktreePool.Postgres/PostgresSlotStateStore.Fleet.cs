using System.Text.Json;
using Npgsql;
using WorktreePool.FileState;

namespace WorktreePool.Postgres;

/// <summary>What concerns all hosts: history, check-ins, capacity.</summary>
internal sealed partial class PostgresSlotStateStore
{
    public TimeSpan HostTimeout => _options.HostTimeout;

    public async ValueTask AppendHistoryAsync(HistoryEntry entry, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(entry);
        var change = Guid.NewGuid();
        await RunAsync(
            "The history was not written",
            async (connection, _, token) =>
            {
                using var command = new NpgsqlCommand(
                    $"INSERT INTO {_history} (pool, host, slot, key, change, entry) VALUES ($1, $2, $3, $4, $5, $6::jsonb) ON CONFLICT (change) DO NOTHING", connection)
                {
                    Parameters =
                    {
                        Text(_options.Pool), Text(entry.Host ?? _host), Text(entry.Slot), Text(entry.Key), Id(change),
                        Text(JsonSerializer.Serialize(entry, HistoryJson.Default.HistoryEntry)),
                    },
                };
                return await command.ExecuteNonQueryAsync(token).ConfigureAwait(false);
            },
            cancellationToken).ConfigureAwait(false);
    }

    public ValueTask<IReadOnlyList<HistoryEntry>> ReadHistoryAsync(HistoryQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Limit, 1);
        string where = $"{(query.Slot is null ? "" : " AND slot = @slot AND host = @host")}{(query.Key is null ? "" : " AND key = @key")}{(query.Event is null ? "" : " AND entry->>'event' = @event")}{(query.Since is null ? "" : " AND (entry->>'at')::timestamptz >= @since")}";
        return RunAsync<IReadOnlyList<HistoryEntry>>(
            "The history was not read",
            async (connection, _, token) =>
            {
                using var command = new NpgsqlCommand($"SELECT entry::text FROM {_history} WHERE pool = @pool{where} ORDER BY id DESC LIMIT @limit", connection);
                AddParameters(command.Parameters, query);
                using NpgsqlDataReader reader = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
                List<HistoryEntry> entries = [];
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    entries.Add(Parse(reader.GetString(0), "the history", HistoryJson.Default.HistoryEntry));
                }

                return entries;
            },
            cancellationToken);
    }

    private void AddParameters(NpgsqlParameterCollection parameters, HistoryQuery query)
    {
        void Add(string name, NpgsqlParameter value)
        {
            value.ParameterName = name;
            parameters.Add(value);
        }

        Add("pool", Text(_options.Pool));
        Add("limit", Number(query.Limit));
        if (query.Slot is not null)
        {
            Add("slot", Text(query.Slot));
            Add("host", Text(_host));
        }

        if (query.Key is not null)
        {
            Add("key", Text(query.Key));
        }

        if (query.Event is { } what)
        {
            Add("event", Text(JsonNamingPolicy.CamelCase.ConvertName(what.ToString())));
        }

        if (query.Since is { } since)
        {
            Add("since", new NpgsqlParameter<DateTime> { TypedValue = since.UtcDateTime });
        }
    }

    public async ValueTask CheckInAsync(CancellationToken cancellationToken) =>
        await RunAsync(
            $"{_host} could not check in",
            async (connection, _, token) =>
            {
                using var command = new NpgsqlCommand(
                    $"INSERT INTO {_hosts} AS h (pool, host, checked_in_at) VALUES ($1, $2, clock_timestamp()) ON CONFLICT (pool, host) DO UPDATE SET checked_in_at = greatest(h.checked_in_at, excluded.checked_in_at)", connection)
                {
                    Parameters = { Text(_options.Pool), Text(_host) },
                };
                return await command.ExecuteNonQueryAsync(token).ConfigureAwait(false);
            },
            cancellationToken).ConfigureAwait(false);

    public async ValueTask<bool> PruneHistoryAsync(DateTimeOffset before, long limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return await RunAsync(
            "Old history was not dropped",
            async (connection, _, token) =>
            {
                using var command = new NpgsqlCommand($"DELETE FROM {_history} WHERE pool = $1 AND recorded_at < $2 AND (entry->>'at')::timestamptz < $2", connection)
                {
                    Parameters = { Text(_options.Pool), new NpgsqlParameter<DateTimeOffset> { TypedValue = before.ToUniversalTime() } },
                };
                return await command.ExecuteNonQueryAsync(token).ConfigureAwait(false);
            },
            cancellationToken).ConfigureAwait(false) > 0;
    }

    public ValueTask<IReadOnlyList<HostState>> ReadHostsAsync(CancellationToken cancellationToken) =>
        RunAsync<IReadOnlyList<HostState>>(
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
        RunAsync<IReadOnlyList<SlotRecord>>(
            "The leases of silent hosts were not read",
            async (connection, _, token) =>
            {
                using var command = new NpgsqlCommand(
                    $"""
                    SELECT s.slot, s.version, s.record::text FROM {_slots} s JOIN {_hosts} h ON h.pool = s.pool AND h.host = s.host
                    WHERE s.pool = $1 AND s.host <> $2 AND s.key IS NOT NULL AND h.checked_in_at < clock_timestamp() - $3 * interval '1 second'
                    """,
                    connection)
                { Parameters = { Text(_options.Pool), Text(_host), Seconds(_options.HostTimeout) } };
                return await ReadRecordsAsync(command, token).ConfigureAwait(false);
            },
            cancellationToken);

    private static NpgsqlParameter<double> Seconds(TimeSpan value) => new() { TypedValue = value.TotalSeconds };
}
