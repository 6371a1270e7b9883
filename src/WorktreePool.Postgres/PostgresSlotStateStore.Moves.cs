using System.Text.Json;
using Npgsql;
using WorktreePool.FileState;

namespace WorktreePool.Postgres;

/// <summary>When the store may not be used: a host's part that has moved to another store or is on its way here, and the pause after a fail-over.</summary>
internal sealed partial class PostgresSlotStateStore : IMovableStateStore
{
    /// <summary>SQL: this host's part is here.</summary>
    private string IsHere => $"NOT EXISTS (SELECT 1 FROM {_moves} WHERE pool = $1 AND host = $2 AND stage <> 'arrived')";

    /// <summary>SQL: no lease may be forgotten.</summary>
    private string IsNotHeld => $"NOT EXISTS (SELECT 1 FROM {_options.Schema}.server WHERE held_until > clock_timestamp())";

    public ValueTask<MoveMark?> ReadMoveAsync(CancellationToken cancellationToken) =>
        LookAsync("The state's place was not read", (connection, _, token) => ReadMoveAsync(connection, token), cancellationToken);

    public async ValueTask ExpectAsync(Guid id, CancellationToken cancellationToken) =>
        await MoveAsync(
            async (connection, mark, slots, token) =>
            {
                if (slots.Count > 0 && mark is null or { Stage: MoveStage.Arrived } && mark?.Id != id)
                {
                    throw new StateStoreException(
                        $"The database has {slots.Count} slots of {_host} in pool \"{_options.Pool}\" that are in use. Nothing was changed. Name another pool with Pool, or another host name; or go on with the pool that is there.");
                }

                await MarkAsync(connection, id, MoveStage.Expected, token).ConfigureAwait(false);
                return true;
            },
            cancellationToken).ConfigureAwait(false);

    public async ValueTask<StatePart> LeaveAsync(Guid id, CancellationToken cancellationToken)
    {
        StatePart part = await MoveAsync(
            async (connection, mark, slots, token) =>
            {
                if (mark != new MoveMark(id, MoveStage.Left))
                {
                    StateMove.RequireRest(slots);
                    await MarkAsync(connection, id, MoveStage.Left, token).ConfigureAwait(false);
                }

                return new StatePart(await ReadPoolAsync(connection, token).ConfigureAwait(false), slots, []);
            },
            cancellationToken).ConfigureAwait(false);

        // Outside of the lock that all claims of the fleet would wait for.
        return part with { History = await ReadHostHistoryAsync(cancellationToken).ConfigureAwait(false) };
    }

    public async ValueTask ArriveAsync(Guid id, StatePart part, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(part);
        if (await ReadMoveAsync(cancellationToken).ConfigureAwait(false) != new MoveMark(id, MoveStage.Arrived))
        {
            await AddHostHistoryAsync(part.History, cancellationToken).ConfigureAwait(false);
        }

        await MoveAsync(
            async (connection, mark, _, token) =>
            {
                if (mark != new MoveMark(id, MoveStage.Arrived))
                {
                    await FillAsync(connection, part, token).ConfigureAwait(false);
                    await MarkAsync(connection, id, MoveStage.Arrived, token).ConfigureAwait(false);
                }

                return true;
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Whether a change takes the slot from whoever may hold it by a lease that the database has forgotten. A holder's own release does not.</summary>
    private static bool Takes(SlotRecord next) => next.State == SlotState.Preparing || next is { State: SlotState.Cleaning, Lease: null or { Releasing: null } };

    /// <summary>Why a change was not applied, when it is not that the record had changed.</summary>
    private async ValueTask ThrowIfForbiddenAsync(NpgsqlConnection connection, string host, bool takes, CancellationToken cancellationToken)
    {
        using var command = new NpgsqlCommand(
            $"SELECT NOT {IsHere}, (SELECT max(held_until) FROM {_options.Schema}.server WHERE held_until > clock_timestamp())", connection)
        {
            Parameters = { Text(_options.Pool), Text(host) },
        };
        using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        if (reader.GetBoolean(0))
        {
            throw Moved();
        }

        if (takes && !reader.IsDBNull(1))
        {
            throw new StateStoreException(
                $"The database has changed over to another server, or was restored, and may have forgotten the last leases; until {reader.GetFieldValue<DateTimeOffset>(1):u} no slot is claimed or cleaned, so that every holder is told first. Nothing was changed. Renewals and releases go on. Try again then; where a change-over loses nothing (synchronous replication) set FailoverPause to 0.");
        }
    }

    private StateMovedException Moved() => new(
        $"The state of pool \"{_options.Pool}\" on {_host} is not in this database: it was moved to files, or is on its way here. Nothing was changed. Use the store that it was moved to, or end the move by repeating worktree-pool migrate.");

    /// <summary>One step of a move, alone: nobody changes a slot meanwhile.</summary>
    private ValueTask<T> MoveAsync<T>(Func<NpgsqlConnection, MoveMark?, IReadOnlyList<SlotRecord>, CancellationToken, ValueTask<T>> step, CancellationToken cancellationToken) =>
        RunAsync(
            "The state was not moved",
            async (connection, _, token) =>
            {
                NpgsqlTransaction transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.ReadCommitted, token).ConfigureAwait(false);
                await using (transaction.ConfigureAwait(false))
                {
                    using (var alone = new NpgsqlCommand($"LOCK TABLE {_slots} IN EXCLUSIVE MODE", connection))
                    {
                        await alone.ExecuteNonQueryAsync(token).ConfigureAwait(false);
                    }

                    using var read = new NpgsqlCommand($"SELECT slot, version, record::text, host FROM {_slots} WHERE pool = $1 AND host = $2 ORDER BY length(slot), slot", connection)
                    {
                        Parameters = { Text(_options.Pool), Text(_host) },
                    };
                    List<SlotRecord> slots = await ReadRecordsAsync(read, token).ConfigureAwait(false);
                    T result = await step(connection, await ReadMoveAsync(connection, token).ConfigureAwait(false), slots, token).ConfigureAwait(false);
                    await transaction.CommitAsync(token).ConfigureAwait(false);
                    return result;
                }
            },
            cancellationToken);

    private async ValueTask<MoveMark?> ReadMoveAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        using var command = new NpgsqlCommand($"SELECT id, stage FROM {_moves} WHERE pool = $1 AND host = $2", connection) { Parameters = { Text(_options.Pool), Text(_host) } };
        using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        return await reader.ReadAsync(cancellationToken).ConfigureAwait(false)
            ? new MoveMark(reader.GetGuid(0), Enum.Parse<MoveStage>(reader.GetString(1), ignoreCase: true))
            : null;
    }

    private async ValueTask MarkAsync(NpgsqlConnection connection, Guid id, MoveStage stage, CancellationToken cancellationToken)
    {
        using var command = new NpgsqlCommand(
            $"INSERT INTO {_moves} (pool, host, id, stage) VALUES ($1, $2, $3, $4) ON CONFLICT (pool, host) DO UPDATE SET id = excluded.id, stage = excluded.stage", connection)
        {
            Parameters = { Text(_options.Pool), Text(_host), Id(id), Text(stage.ToString().ToLowerInvariant()) },
        };
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<PoolRecord> ReadPoolAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        using var command = new NpgsqlCommand($"SELECT record::text FROM {_pool} WHERE pool = $1", connection) { Parameters = { Text(_options.Pool) } };
        return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is string record ? Parse(record, "the pool", StateJson.Default.PoolRecord) : new PoolRecord();
    }

    private async ValueTask FillAsync(NpgsqlConnection connection, StatePart part, CancellationToken cancellationToken)
    {
        using var batch = new NpgsqlBatch(connection);
        void Add(string sql, params NpgsqlParameter[] parameters)
        {
            var command = new NpgsqlBatchCommand(sql);
            foreach (NpgsqlParameter parameter in parameters)
            {
                command.Parameters.Add(parameter);
            }

            batch.BatchCommands.Add(command);
        }

        Add($"DELETE FROM {_slots} WHERE pool = $1 AND host = $2", Text(_options.Pool), Text(_host));
        if (part.Pool.Version > 0)
        {
            Add(
                $"INSERT INTO {_pool} (pool, version, change, record) VALUES ($1, $2, $3, $4::jsonb) ON CONFLICT (pool) DO NOTHING",
                Text(_options.Pool), Number(part.Pool.Version), Id(Guid.NewGuid()), Text(JsonSerializer.Serialize(part.Pool, StateJson.Default.PoolRecord)));
        }

        foreach (SlotRecord slot in part.Slots.Select(slot => slot with { Host = _host }))
        {
            Add(
                $"INSERT INTO {_slots} (pool, host, slot, version, change, state, key, commit, record) VALUES ($1, $2, $3, $4, $5, $6, NULL, $7, $8::jsonb)",
                Text(_options.Pool), Text(_host), Text(slot.Slot), Number(slot.Version), Id(Guid.NewGuid()), Text(Word(slot.State)), Text(slot.Commit),
                Text(JsonSerializer.Serialize(slot, StateJson.Default.SlotRecord)));
        }

        await batch.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }
}
