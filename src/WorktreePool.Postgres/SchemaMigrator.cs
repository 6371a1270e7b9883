using Npgsql;

namespace WorktreePool.Postgres;

/// <summary>Brings the schema to this version's form, or says why it cannot be used. Several processes may do it at once.</summary>
internal static class SchemaMigrator
{
    /// <summary>Any number that no other program is likely to lock.</summary>
    private const long MigrationLock = 0x576f726b74726565;

    public static async ValueTask MigrateAsync(NpgsqlConnection connection, string schema, CancellationToken cancellationToken)
    {
        if (await ReadVersionAsync(connection, schema, cancellationToken).ConfigureAwait(false) is { } present && IsUsable(present, schema))
        {
            return;
        }

        // Whatever is the database's default: the others' work must be seen after the wait for them.
        NpgsqlTransaction transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.ReadCommitted, cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            await RunAsync(connection, $"SELECT pg_advisory_xact_lock({MigrationLock})", cancellationToken).ConfigureAwait(false);
            int version = await ReadVersionAsync(connection, schema, cancellationToken).ConfigureAwait(false) ?? 0;
            if (version == 0)
            {
                await RunAsync(
                    connection,
                    $"CREATE SCHEMA IF NOT EXISTS {schema}; CREATE TABLE {schema}.migration (version int NOT NULL PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())",
                    cancellationToken).ConfigureAwait(false);
            }

            for (; version < Migrations.Steps.Count; version++)
            {
                await RunAsync(connection, Migrations.Steps[version].Replace("{0}", schema, StringComparison.Ordinal), cancellationToken).ConfigureAwait(false);
                await RunAsync(connection, $"INSERT INTO {schema}.migration (version) VALUES ({version + 1})", cancellationToken).ConfigureAwait(false);
            }

            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private static bool IsUsable(int version, string schema) => version > Migrations.Steps.Count
        ? throw new StateStoreException(
            $"The database's schema {schema} was made by a newer version of WorktreePool: it has version {version}, and this one knows {Migrations.Steps.Count}. Nothing was changed. Use the newer version on this host as well.")
        : version == Migrations.Steps.Count;

    private static async ValueTask<int?> ReadVersionAsync(NpgsqlConnection connection, string schema, CancellationToken cancellationToken)
    {
        // Not to_regclass: it may answer from what the session believed before it waited for the lock.
        using var command = new NpgsqlCommand($"SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = '{schema}' AND tablename = 'migration')", connection);
        if (await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is not true)
        {
            return null;
        }

        using var read = new NpgsqlCommand($"SELECT max(version) FROM {schema}.migration", connection);
        return await read.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) as int?;
    }

    private static async ValueTask RunAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }
}
