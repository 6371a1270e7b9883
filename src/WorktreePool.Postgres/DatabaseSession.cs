using Npgsql;

namespace WorktreePool.Postgres;

/// <summary>
/// A connection of its own, for what lives in the server's session: locks, notifications. A pooler that gives each transaction whichever server process is
/// free would lend one session to several processes, and their locks would not exclude each other; such a place is refused.
/// </summary>
internal sealed class DatabaseSession(NpgsqlConnection connection, int backend) : IAsyncDisposable
{
    /// <summary>
    /// The server must notice soon when this machine is gone, because the session's locks last until it does; and it must not end a session that is
    /// silent because its holder works, whatever is set for others.
    /// </summary>
    private const string Begin =
        """
        SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3; SET tcp_user_timeout = 10000; SET statement_timeout = 0;
        SELECT pg_backend_pid(), CASE WHEN current_setting('idle_session_timeout', true) IS NOT NULL THEN set_config('idle_session_timeout', '0', false) END
        """;

    public NpgsqlConnection Connection => connection;

    /// <summary>Opens one.</summary>
    /// <exception cref="StateStoreException">There is a pooler between that shares sessions.</exception>
    public static async ValueTask<DatabaseSession> OpenAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        NpgsqlConnection connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            int backend = await BeginAsync(connection, cancellationToken).ConfigureAwait(false);
            if (backend != connection.ProcessID)
            {
                await RequireOwnAsync(source, backend, cancellationToken).ConfigureAwait(false);
            }

            return new DatabaseSession(connection, backend);
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Calls a function of one number in this session, and in no other.</summary>
    public async ValueTask<bool> CallAsync(string function, long argument, CancellationToken cancellationToken)
    {
        using var command = new NpgsqlCommand($"SELECT CASE WHEN pg_backend_pid() = $2 THEN {function}($1) END", connection)
        {
            Parameters = { new NpgsqlParameter<long> { TypedValue = argument }, new NpgsqlParameter<int> { TypedValue = backend } },
        };
        return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is bool answer ? answer : throw Shared();
    }

    public ValueTask DisposeAsync() => connection.DisposeAsync();

    /// <summary>Behind a pooler: while this session is open, another must be another.</summary>
    private static async ValueTask RequireOwnAsync(NpgsqlDataSource source, int backend, CancellationToken cancellationToken)
    {
        NpgsqlConnection second = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using (second.ConfigureAwait(false))
        {
            if (await BeginAsync(second, cancellationToken).ConfigureAwait(false) == backend)
            {
                throw Shared();
            }
        }
    }

    /// <returns>The server process that answers.</returns>
    private static async ValueTask<int> BeginAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        using var command = new NpgsqlCommand(Begin, connection);
        return (int)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
    }

    private static StateStoreException Shared() => new(
        "The database is reached through a pooler that lends one session to several connections (PgBouncer's pool_mode transaction or statement), so working locks would exclude nobody. "
        + "Nothing was changed. Connect to the server itself, or through a pooler with pool_mode session.");
}
