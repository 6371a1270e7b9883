using Npgsql;

namespace WorktreePool.Postgres;

/// <summary>
/// Connections to the database, and how one operation is carried out: tried again while the fault is one that passes (a restart, a cut
/// connection, no connection left) and time is left, then failed. So every operation must be safe to repeat.
/// </summary>
internal sealed class Database : IAsyncDisposable
{
    /// <summary>An attempt that hangs on a dead connection must leave time for others.</summary>
    private const int Attempts = 3;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(500);

    private readonly PostgresOptions _options;
    private readonly TimeProvider _time;
    private readonly NpgsqlDataSource _pooled;
    private readonly NpgsqlDataSource _dedicated;
    private volatile bool _migrated;

    public Database(PostgresOptions options, TimeProvider time)
    {
        (_options, _time) = (options, time);
        try
        {
            _pooled = Build(pooling: true, GreetAsync);
            _dedicated = Build(pooling: false);
        }
        catch (ArgumentException e)
        {
            // The text itself may hold a password, so only what is wrong with it is told.
            throw new PoolConfigurationException($"The PostgreSQL store's ConnectionString cannot be used: {e.Message} Nothing was changed.");
        }
    }

    /// <summary>The clock that limits are measured by.</summary>
    public TimeProvider Time => _time;

    /// <summary>Does one thing on a pooled connection, again if need be. The attempt's number, from 0, tells a repetition.</summary>
    /// <param name="what">What was not done, when it fails.</param>
    /// <param name="changes">Whether it changes anything, so that a lost answer leaves a doubt.</param>
    /// <param name="work">The thing.</param>
    /// <param name="cancellationToken">Lets the caller go.</param>
    /// <exception cref="StateStoreException">The database could not be reached in time, or refuses.</exception>
    public ValueTask<T> RunAsync<T>(string what, bool changes, Func<NpgsqlConnection, int, CancellationToken, ValueTask<T>> work, CancellationToken cancellationToken) =>
        // Npgsql may take seconds to give up a connection into a dead network. Whoever waits is let go at once: what was sent may still arrive,
        // as with any answer that was lost, and the connection is dealt with behind.
        RepeatAsync(what, changes, async (attempt, token) => await OnPooledAsync(work, attempt, token).AsTask().WaitAsync(token).ConfigureAwait(false), cancellationToken);

    /// <summary>A session of its own, outside of the pool. The caller's to dispose.</summary>
    public ValueTask<DatabaseSession> OpenSessionAsync(CancellationToken cancellationToken) => DatabaseSession.OpenAsync(_dedicated, cancellationToken);

    /// <summary>Repeats what may be repeated until it works, the time is over, or the fault is none that passes.</summary>
    public async ValueTask<T> RepeatAsync<T>(string what, bool changes, Func<int, CancellationToken, ValueTask<T>> work, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var budget = new CancellationTokenSource(_options.OperationTimeout, _time);
        TimeSpan pause = FirstPause;
        bool inDoubt = false;
        Exception? fault = null;
        for (int attempt = 0; ; attempt++)
        {
            using var limit = new CancellationTokenSource(_options.OperationTimeout / Attempts, _time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, budget.Token, limit.Token);
            try
            {
                return await work(attempt, either.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested && (DatabaseFault.IsPassing(e) || e is OperationCanceledException))
            {
                // What the database said tells more than that no answer came to the last attempt.
                fault = fault is null || e is not OperationCanceledException ? e : fault;
                inDoubt |= changes && DatabaseFault.LeavesDoubt(e);
            }
            catch (NpgsqlException e) when (!cancellationToken.IsCancellationRequested)
            {
                throw DatabaseFault.Refused(what, e, inDoubt);
            }
            catch (Exception e) when (e is not OperationCanceledException && cancellationToken.IsCancellationRequested)
            {
                throw new OperationCanceledException(e.Message, e, cancellationToken);
            }

            // What else is in the pool is likely as dead as this one.
            _pooled.Clear();
            try
            {
                await Task.Delay(pause * (0.5 + Random.Shared.NextDouble()), _time, budget.Token).WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
            }

            if (budget.IsCancellationRequested)
            {
                throw DatabaseFault.Lasting(what, _options.OperationTimeout, fault, inDoubt);
            }

            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _pooled.DisposeAsync().ConfigureAwait(false);
        await _dedicated.DisposeAsync().ConfigureAwait(false);
    }

    private async ValueTask<T> OnPooledAsync<T>(Func<NpgsqlConnection, int, CancellationToken, ValueTask<T>> work, int attempt, CancellationToken cancellationToken)
    {
        NpgsqlConnection connection = await _pooled.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            return await work(connection, attempt, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Each new connection is ready for use: the schema is there, and the server is the one it was or is noted.</summary>
    private async Task GreetAsync(NpgsqlConnection connection)
    {
        if (!_migrated)
        {
            await SchemaMigrator.MigrateAsync(connection, _options.Schema, CancellationToken.None).ConfigureAwait(false);
            _migrated = true;
        }

        await ServerGreeting.GreetAsync(connection, _options, CancellationToken.None).ConfigureAwait(false);
    }

    private NpgsqlDataSource Build(bool pooling, Func<NpgsqlConnection, Task>? greet = null)
    {
        var text = new NpgsqlConnectionStringBuilder(_options.ConnectionString);
        int seconds = Math.Max(1, (int)Math.Ceiling((_options.OperationTimeout / Attempts).TotalSeconds));
        text.Pooling &= pooling;
        text.Timeout = Math.Min(text.Timeout, seconds);
        text.CommandTimeout = pooling ? seconds : text.CommandTimeout;

        // A cancelled caller waits no longer than this for the server's word on it.
        text.CancellationTimeout = 250;
        if (!pooling)
        {
            text.KeepAlive = 5;
        }

        if (text.Host?.Contains(',', StringComparison.Ordinal) == true && text.TargetSessionAttributes is null)
        {
            // Of several hosts only the one that can be written to is the database.
            text.TargetSessionAttributes = "read-write";
        }

        text.ApplicationName ??= "worktree-pool";
        var builder = new NpgsqlSlimDataSourceBuilder(text.ConnectionString);
        builder.EnableTransportSecurity();
        builder.EnableArrays();
        if (greet is not null)
        {
            builder.UsePhysicalConnectionInitializer(_ => throw new NotSupportedException("connections are opened asynchronously"), greet);
        }

        return builder.Build();
    }
}
