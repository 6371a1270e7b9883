using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Npgsql;
using WorktreePool.FileState;

namespace WorktreePool.Postgres;

/// <summary>
/// The state of one pool over many hosts, seen from one of them. Every change is one statement that can be repeated: it carries a number
/// of its own (<c>change</c>), by which a repetition after a cut connection sees whether the first try had been applied.
/// </summary>
internal sealed partial class PostgresSlotStateStore : IFleetStateStore
{
    private readonly PostgresOptions _options;
    private readonly TimeProvider _time;
    private readonly Database _database;
    private readonly WorkingLocks _locks;
    private readonly ChangeListener _listener;
    private readonly ServerClock _clock;
    private readonly HostIdentity _identity;
    private readonly string _host;
    private readonly string _slots;
    private readonly string _pool;
    private readonly string _history;
    private readonly string _poolDirectory;
    private readonly string _hosts;
    private readonly string _moves;
    private volatile bool _isKnown;
    private volatile bool _disposed;

    public PostgresSlotStateStore(PostgresOptions options, HostIdentity host, string poolDirectory, TimeProvider time)
    {
        options.Validate();
        (_options, _identity, _host, _time, _poolDirectory) = (options, host, host.Name, time, poolDirectory);
        (_slots, _pool, _history, _hosts, _moves) =
            ($"{options.Schema}.slot", $"{options.Schema}.pool", $"{options.Schema}.history", $"{options.Schema}.host", $"{options.Schema}.move");
        _clock = new ServerClock(time);
        _database = new Database(options, time);
        _locks = new WorkingLocks(_database, slot => $"worktree-pool\n{options.Schema}\n{options.Pool}\n{host.Name}\n{slot}", poolDirectory, time);
        _listener = new ChangeListener(_database, [Channel(options.Pool), Channel($"{options.Pool}\n{host.Name}")], time);
    }

    public TimeProvider Clock => _clock;

    public ValueTask<PoolState> ReadAsync(CancellationToken cancellationToken) =>
        LookAsync(
            "The pool's state was not read",
            async (connection, _, token) =>
            {
                using var command = new NpgsqlCommand(
                    $"""
                    SELECT NULL, 0, NULL, NULL, clock_timestamp()
                    UNION ALL SELECT '', version, change, record::text, NULL FROM {_pool} WHERE pool = $1
                    UNION ALL SELECT slot, version, change, record::text, NULL FROM {_slots} WHERE pool = $1 AND host = $2
                    UNION ALL SELECT 'moved', 0, id, NULL, NULL FROM {_moves} WHERE pool = $1 AND host = $2 AND stage <> 'arrived'
                    """,
                    connection)
                { Parameters = { Text(_options.Pool), Text(_host) } };
                using NpgsqlDataReader reader = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
                var pool = new PoolRecord();
                List<SlotRecord> slots = [];
                List<(string, Guid)> changes = [];
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    if (reader.IsDBNull(0))
                    {
                        _clock.Hear(reader.GetFieldValue<DateTimeOffset>(4));
                        continue;
                    }

                    string slot = reader.GetString(0);
                    if (reader.IsDBNull(3))
                    {
                        throw Moved();
                    }

                    changes.Add((slot, reader.GetGuid(2)));
                    if (slot.Length == 0)
                    {
                        pool = Parse(reader.GetString(3), "the pool", StateJson.Default.PoolRecord) with { Version = reader.GetInt64(1) };
                    }
                    else
                    {
                        slots.Add(Parse(reader.GetString(3), $"{slot} on {_host}", StateJson.Default.SlotRecord) with { Version = reader.GetInt64(1) });
                    }
                }

                return new PoolState(pool, SlotOrder.Of(slots), Stamp(changes));
            },
            cancellationToken);

    public async ValueTask<StoreResult> CompareAndSetAsync(long expectedVersion, SlotRecord next, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(next);
        RequireName(next.Slot);
        if (!_isKnown && next.Host == _host)
        {
            // Another machine of this name would take the holders for dead.
            await CheckInAsync(cancellationToken).ConfigureAwait(false);
        }

        SlotRecord stored = next with { Version = expectedVersion + 1 };
        var change = Guid.NewGuid();
        string record = JsonSerializer.Serialize(stored, StateJson.Default.SlotRecord);
        bool takes = Takes(next);
        string allowed = takes ? $"{IsHere} AND {IsNotHeld}" : IsHere;
        string sql = expectedVersion == 0
            ? $"INSERT INTO {_slots} (pool, host, slot, version, change, state, key, commit, record) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb WHERE {allowed} ON CONFLICT (pool, host, slot) DO NOTHING"
            : $"UPDATE {_slots} SET version = $4, change = $5, state = $6, key = $7, commit = $8, record = $9::jsonb WHERE pool = $1 AND host = $2 AND slot = $3 AND version = $4 - 1 AND {allowed}";
        return await RunAsync(
            $"The change of {next.Slot} was not stored",
            async (connection, attempt, token) =>
            {
                try
                {
                    using var command = new NpgsqlCommand(sql, connection)
                    {
                        Parameters =
                        {
                            Text(_options.Pool), Text(next.Host), Text(next.Slot), Number(expectedVersion + 1), Id(change),
                            Text(Word(next.State)), Text(next.Lease?.Key), Text(next.Commit), Text(record),
                        },
                    };
                    if (await command.ExecuteNonQueryAsync(token).ConfigureAwait(false) == 1 || (attempt > 0 && await IsAppliedAsync(connection, next, change, token).ConfigureAwait(false)))
                    {
                        // As a reader will see it: what the caller may still change is not in it.
                        return new StoreResult(StoreOutcome.Applied, JsonSerializer.Deserialize(record, StateJson.Default.SlotRecord));
                    }

                    await ThrowIfForbiddenAsync(connection, next.Host, takes, token).ConfigureAwait(false);
                    return new StoreResult(StoreOutcome.Conflict, null);
                }
                catch (PostgresException e) when (e is { SqlState: PostgresErrorCodes.UniqueViolation, ConstraintName: "slot_key" })
                {
                    return new StoreResult(StoreOutcome.KeyHeld, null, await FindHolderAsync(connection, next.Lease!.Key, token).ConfigureAwait(false));
                }
            },
            cancellationToken).ConfigureAwait(false);
    }

    public ValueTask<bool> RemoveAsync(string slot, long expectedVersion, CancellationToken cancellationToken)
    {
        RequireName(slot);
        return RunAsync(
            $"{slot} was not removed",
            async (connection, attempt, token) =>
            {
                using var delete = new NpgsqlCommand($"DELETE FROM {_slots} WHERE pool = $1 AND host = $2 AND slot = $3 AND version = $4 AND {IsHere}", connection)
                {
                    Parameters = { Text(_options.Pool), Text(_host), Text(slot), Number(expectedVersion) },
                };
                if (await delete.ExecuteNonQueryAsync(token).ConfigureAwait(false) == 1)
                {
                    return true;
                }

                // In a repetition, a record that is gone was removed by the first try.
                using var find = new NpgsqlCommand($"SELECT 1 FROM {_slots} WHERE pool = $1 AND host = $2 AND slot = $3", connection)
                {
                    Parameters = { Text(_options.Pool), Text(_host), Text(slot) },
                };
                return attempt > 0 && await find.ExecuteScalarAsync(token).ConfigureAwait(false) is null;
            },
            cancellationToken);
    }

    public ValueTask<bool> CompareAndSetPoolAsync(long expectedVersion, PoolRecord next, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(next);
        var change = Guid.NewGuid();
        string record = JsonSerializer.Serialize(next with { Version = expectedVersion + 1 }, StateJson.Default.PoolRecord);
        string sql = expectedVersion == 0
            ? $"INSERT INTO {_pool} (pool, version, change, record) VALUES ($1, $2, $3, $4::jsonb) ON CONFLICT (pool) DO NOTHING"
            : $"UPDATE {_pool} SET version = $2, change = $3, record = $4::jsonb WHERE pool = $1 AND version = $2 - 1";
        return RunAsync(
            "The pool's own record was not stored",
            async (connection, attempt, token) =>
            {
                using var command = new NpgsqlCommand(sql, connection) { Parameters = { Text(_options.Pool), Number(expectedVersion + 1), Id(change), Text(record) } };
                if (await command.ExecuteNonQueryAsync(token).ConfigureAwait(false) == 1)
                {
                    return true;
                }

                using var find = new NpgsqlCommand($"SELECT 1 FROM {_pool} WHERE pool = $1 AND change = $2", connection) { Parameters = { Text(_options.Pool), Id(change) } };
                return attempt > 0 && await find.ExecuteScalarAsync(token).ConfigureAwait(false) is not null;
            },
            cancellationToken);
    }

    public async ValueTask WaitForChangeAsync(string stamp, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        while (true)
        {
            // First the promise of a signal, then the look: a change falls before the look or gives the signal.
            ObjectDisposedException.ThrowIf(_disposed, this);
            Task changed = _listener.Next();
            if (await ReadStampAsync(cancellationToken).ConfigureAwait(false) != stamp)
            {
                return;
            }

            using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            await Task.WhenAny(changed, Task.Delay(_options.PollInterval, _time, waiting.Token)).ConfigureAwait(false);
            await waiting.CancelAsync().ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    public ValueTask<IAsyncDisposable?> TryLockSlotAsync(string slot, CancellationToken cancellationToken)
    {
        RequireName(slot);
        cancellationToken.ThrowIfCancellationRequested();
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _locks.TryTakeAsync(slot, cancellationToken);
    }

    public ValueTask<IReadOnlyList<StoppedWorker>> FindStoppedWorkersAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(StoppedHolders.Find(HostLock.DirectoryOf(_poolDirectory)));
    }

    public async ValueTask DisposeAsync()
    {
        if (!_disposed)
        {
            _disposed = true;
            await _listener.DisposeAsync().ConfigureAwait(false);
            await _locks.DisposeAsync().ConfigureAwait(false);
            await _database.DisposeAsync().ConfigureAwait(false);
        }
    }

    private ValueTask<string> ReadStampAsync(CancellationToken cancellationToken) =>
        LookAsync(
            "The pool's state was not read",
            async (connection, _, token) =>
            {
                using var command = new NpgsqlCommand(
                    $"SELECT '', change FROM {_pool} WHERE pool = $1 UNION ALL SELECT slot, change FROM {_slots} WHERE pool = $1 AND host = $2", connection)
                {
                    Parameters = { Text(_options.Pool), Text(_host) },
                };
                using NpgsqlDataReader reader = await command.ExecuteReaderAsync(token).ConfigureAwait(false);
                List<(string, Guid)> changes = [];
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    changes.Add((reader.GetString(0), reader.GetGuid(1)));
                }

                return Stamp(changes);
            },
            cancellationToken);

    private async ValueTask<bool> IsAppliedAsync(NpgsqlConnection connection, SlotRecord record, Guid change, CancellationToken cancellationToken)
    {
        using var command = new NpgsqlCommand($"SELECT 1 FROM {_slots} WHERE pool = $1 AND host = $2 AND slot = $3 AND change = $4", connection)
        {
            Parameters = { Text(_options.Pool), Text(record.Host), Text(record.Slot), Id(change) },
        };
        return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is not null;
    }

    private async ValueTask<SlotRecord?> FindHolderAsync(NpgsqlConnection connection, string key, CancellationToken cancellationToken)
    {
        using var command = new NpgsqlCommand($"SELECT slot, version, record::text, host FROM {_slots} WHERE pool = $1 AND key = $2", connection) { Parameters = { Text(_options.Pool), Text(key) } };
        return (await ReadRecordsAsync(command, cancellationToken).ConfigureAwait(false)).FirstOrDefault();
    }

    /// <summary>Records of whichever host, from rows of name, version, record and host.</summary>
    private static async ValueTask<List<SlotRecord>> ReadRecordsAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        List<SlotRecord> records = [];
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            records.Add(Parse(reader.GetString(2), $"{reader.GetString(0)} on {reader.GetString(3)}", StateJson.Default.SlotRecord) with { Version = reader.GetInt64(1) });
        }

        return records;
    }

    private ValueTask<T> RunAsync<T>(string what, Func<NpgsqlConnection, int, CancellationToken, ValueTask<T>> work, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _database.RunAsync(what, changes: true, work, cancellationToken);
    }

    private ValueTask<T> LookAsync<T>(string what, Func<NpgsqlConnection, int, CancellationToken, ValueTask<T>> work, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _database.RunAsync(what, changes: false, work, cancellationToken);
    }

    private string Channel(string of) => "wp_" + Convert.ToHexStringLower(
#pragma warning disable CA5351 // No secret: the same short name as the trigger's.
        MD5.HashData(Encoding.UTF8.GetBytes($"{_options.Schema}\n{of}")));
#pragma warning restore CA5351

    private static string Stamp(IEnumerable<(string Slot, Guid Change)> changes) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        string.Join(' ', changes.OrderBy(change => change.Slot, StringComparer.Ordinal).Select(change => $"{change.Slot}:{change.Change:n}")))));

    private static T Parse<T>(string json, string what, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(json, type)!;
        }
        catch (JsonException e)
        {
            throw new StateStoreException($"The record of {what} in the database cannot be read: {e.Message} Nothing was changed. It was written by a newer version, or by hand: use one version on all hosts, or repair the row.", e);
        }
    }

    private static string Word(SlotState state) => state.ToString().ToLowerInvariant();

    private static NpgsqlParameter Text(string? value) => new() { NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text, Value = (object?)value ?? DBNull.Value };

    private static NpgsqlParameter<long> Number(long value) => new() { TypedValue = value };

    private static NpgsqlParameter<Guid> Id(Guid value) => new() { TypedValue = value };

    private static void RequireName(string slot)
    {
        ArgumentException.ThrowIfNullOrEmpty(slot);
        if (!slot.StartsWith("slot-", StringComparison.Ordinal) || !slot.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-'))
        {
            throw new ArgumentException($"\"{slot}\" is no slot's name: it is slot- and then a-z, 0-9 and - only.", nameof(slot));
        }
    }
}
