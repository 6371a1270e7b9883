using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using WorktreePool.FileState;

namespace WorktreePool.Postgres;

/// <summary>The history: of all hosts in one table, each entry with its host.</summary>
internal sealed partial class PostgresSlotStateStore
{
    /// <summary>How many entries are moved or dropped at once: years of them would outlast the limit of any one statement.</summary>
    internal const int AtOnce = 5_000;

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
        return LookAsync<IReadOnlyList<HistoryEntry>>(
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

    public async ValueTask<bool> PruneHistoryAsync(DateTimeOffset before, long limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        for (bool any = false; ; any = true)
        {
            int dropped = await RunAsync(
                "Old history was not dropped",
                async (connection, _, token) =>
                {
                    using var command = new NpgsqlCommand(
                        $"DELETE FROM {_history} WHERE id IN (SELECT id FROM {_history} WHERE pool = $1 AND recorded_at < $2 AND (entry->>'at')::timestamptz < $2 LIMIT {AtOnce})", connection)
                    {
                        Parameters = { Text(_options.Pool), new NpgsqlParameter<DateTimeOffset> { TypedValue = before.ToUniversalTime() } },
                    };
                    return await command.ExecuteNonQueryAsync(token).ConfigureAwait(false);
                },
                cancellationToken).ConfigureAwait(false);
            if (dropped < AtOnce)
            {
                return any || dropped > 0;
            }
        }
    }

    /// <summary>All that is told of this host, oldest first.</summary>
    private async ValueTask<List<HistoryEntry>> ReadHostHistoryAsync(CancellationToken cancellationToken)
    {
        List<HistoryEntry> entries = [];
        for (long last = 0; ;)
        {
            List<(long Id, string Entry)> page = await LookAsync(
                "The history was not read",
                async (connection, _, token) =>
                {
                    using var command = new NpgsqlCommand($"SELECT id, entry::text FROM {_history} WHERE pool = $1 AND host = $2 AND id > $3 ORDER BY id LIMIT {AtOnce}", connection)
                    {
                        Parameters = { Text(_options.Pool), Text(_host), Number(last) },
                    };
                    using NpgsqlDataReader reader = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
                    List<(long, string)> read = [];
                    while (await reader.ReadAsync(token).ConfigureAwait(false))
                    {
                        read.Add((reader.GetInt64(0), reader.GetString(1)));
                    }

                    return read;
                },
                cancellationToken).ConfigureAwait(false);
            if (page.Count == 0)
            {
                return entries;
            }

            entries.AddRange(page.Select(row => Parse(row.Entry, "the history", HistoryJson.Default.HistoryEntry)));
            last = page[^1].Id;
        }
    }

    /// <summary>Adds to what is told of this host what is not there yet: an earlier move left it, or a try of this one that was ended had brought it.</summary>
    private async ValueTask AddHostHistoryAsync(IReadOnlyList<HistoryEntry> entries, CancellationToken cancellationToken)
    {
        HashSet<string> told = [.. (await ReadHostHistoryAsync(cancellationToken).ConfigureAwait(false)).Select(TextOf)];
        foreach ((HistoryEntry Entry, string Text, Guid Change)[] part in entries.Select(entry => (entry, TextOf(entry), Guid.NewGuid())).Where(one => told.Add(one.Item2)).Chunk(AtOnce))
        {
            await RunAsync(
                "The history was not moved",
                async (connection, _, token) =>
                {
                    using var command = new NpgsqlCommand(
                        $"""
                        INSERT INTO {_history} (pool, host, slot, key, change, entry)
                        SELECT $1, $2, slot, key, change, entry::jsonb FROM unnest($3, $4, $5, $6) WITH ORDINALITY AS e (slot, key, change, entry, place) ORDER BY place
                        ON CONFLICT (change) DO NOTHING
                        """, connection)
                    {
                        Parameters =
                        {
                            Text(_options.Pool), Text(_host), Texts(part.Select(one => one.Entry.Slot)), Texts(part.Select(one => one.Entry.Key)),
                            new NpgsqlParameter<Guid[]> { TypedValue = [.. part.Select(one => one.Change)] }, Texts(part.Select(one => one.Text)),
                        },
                    };
                    return await command.ExecuteNonQueryAsync(token).ConfigureAwait(false);
                },
                cancellationToken).ConfigureAwait(false);
            CrashPoint.Reached("part of the history moved");
        }
    }

    private static NpgsqlParameter Texts(IEnumerable<string?> values) => new() { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text, Value = values.ToArray() };

    private static string TextOf(HistoryEntry entry) => JsonSerializer.Serialize(entry, HistoryJson.Default.HistoryEntry);
}
