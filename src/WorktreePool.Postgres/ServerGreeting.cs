using Npgsql;

namespace WorktreePool.Postgres;

/// <summary>
/// Notices that the database is another server than the one that wrote here last, or the same one set back: it may lack what was committed last.
/// Then no slot is taken from anyone until all who may hold one by a forgotten lease have been told. Done once for every connection: a session never
/// changes its server.
/// </summary>
internal static class ServerGreeting
{
    /// <summary>A promoted or restored server is on a timeline of its own (PostgreSQL, "Continuous Archiving", Timelines); another cluster has another identifier.</summary>
    private const string Identity = "(SELECT system_identifier FROM pg_control_system()) || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8)";

    /// <summary>Versions go on from here, far above any that was forgotten, so that a change that rests on a forgotten one is refused.</summary>
    private const int Leap = 1_000_000;

    public static async ValueTask GreetAsync(NpgsqlConnection connection, PostgresOptions options, CancellationToken cancellationToken)
    {
        using var ask = new NpgsqlCommand($"SELECT {Identity}, (SELECT identity FROM {options.Schema}.server)", connection);
        (string identity, string? known) = await ReadAsync(ask, cancellationToken).ConfigureAwait(false);
        if (identity == known)
        {
            return;
        }

        string sql = known is null
            ? $"INSERT INTO {options.Schema}.server (identity) VALUES ($1) ON CONFLICT (single) DO NOTHING"
            : $"""
              WITH changed AS (UPDATE {options.Schema}.server SET identity = $1, held_until = clock_timestamp() + $2 * interval '1 second' WHERE identity <> $1 RETURNING 1),
                   slots AS (UPDATE {options.Schema}.slot SET version = version + {Leap} WHERE EXISTS (SELECT 1 FROM changed) RETURNING 1)
              UPDATE {options.Schema}.pool SET version = version + {Leap} WHERE EXISTS (SELECT 1 FROM changed)
              """;
        using var note = new NpgsqlCommand(sql, connection) { Parameters = { new NpgsqlParameter<string> { TypedValue = identity } } };
        if (known is not null)
        {
            note.Parameters.Add(new NpgsqlParameter<double> { TypedValue = options.EffectiveFailoverPause.TotalSeconds });
        }

        await note.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    private static async ValueTask<(string Identity, string? Known)> ReadAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        return (reader.GetString(0), reader.IsDBNull(1) ? null : reader.GetString(1));
    }
}
