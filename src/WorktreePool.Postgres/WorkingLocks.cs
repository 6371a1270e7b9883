using System.Security.Cryptography;
using System.Text;
using Npgsql;

namespace WorktreePool.Postgres;

/// <summary>
/// The working locks this process holds: an advisory lock each, all on one session of its own, together with a lock on a file of the host.
/// When the session dies its locks are free; those whose holders live are taken again on the next session.
/// </summary>
internal sealed class WorkingLocks(Database database, Func<string, string> nameOf, string poolDirectory, TimeProvider time) : IAsyncDisposable
{
    /// <summary>What giving a lock back may take before the whole session is ended instead.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>How often a lock that is taken after a cut connection is tried again.</summary>
    private const int OwnGhosts = 6;

    /// <summary>A session carries one command at a time.</summary>
    private readonly SemaphoreSlim _turn = new(1, 1);

    private readonly HashSet<Handle> _held = [];
    private DatabaseSession? _session;

    public async ValueTask<IAsyncDisposable?> TryTakeAsync(string slot, CancellationToken cancellationToken)
    {
        FileLock? file = HostLock.TryTake(poolDirectory, slot, time);
        if (file is null)
        {
            return null;
        }

        try
        {
            long key = Key(slot);
            bool taken = await database.RepeatAsync(
                $"The working lock of {slot} was not taken",
                changes: false,
                (attempt, token) => OnSessionAsync(
                    async session => await session.CallAsync("pg_try_advisory_lock", key, token).ConfigureAwait(false)
                        || (attempt is > 0 and < OwnGhosts ? throw new TimeoutException("the lock may be that of this process's last session, which the server has not yet ended") : false),
                    token),
                cancellationToken).ConfigureAwait(false);
            if (taken)
            {
                var handle = new Handle(this, key, file);
                file = null;
                lock (_held)
                {
                    _held.Add(handle);
                }

                return handle;
            }

            return null;
        }
        finally
        {
            if (file is not null)
            {
                await file.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    /// <summary>The locks end with the session.</summary>
    public async ValueTask DisposeAsync()
    {
        await _turn.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        await CloseAsync().ConfigureAwait(false);
        _turn.Release();
    }

    private async ValueTask<bool> OnSessionAsync(Func<DatabaseSession, ValueTask<bool>> work, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_session is { Connection.State: not System.Data.ConnectionState.Open })
            {
                await CloseAsync().ConfigureAwait(false);
            }

            DatabaseSession session = _session ??= await OpenAsync(cancellationToken).ConfigureAwait(false);
            return await work(session).ConfigureAwait(false);
        }
        catch
        {
            // What became of the call is unknown; the end of the session undoes it.
            await CloseAsync().ConfigureAwait(false);
            throw;
        }
        finally
        {
            _turn.Release();
        }
    }

    private async ValueTask<DatabaseSession> OpenAsync(CancellationToken cancellationToken)
    {
        DatabaseSession session = await database.OpenSessionAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            Handle[] held;
            lock (_held)
            {
                held = [.. _held];
            }

            foreach (Handle handle in held)
            {
                await session.CallAsync("pg_try_advisory_lock", handle.Key, cancellationToken).ConfigureAwait(false);
            }

            return session;
        }
        catch
        {
            await session.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private async ValueTask CloseAsync()
    {
        if (_session is { } session)
        {
            _session = null;
            await session.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async ValueTask GiveBackAsync(Handle handle, FileLock file)
    {
        lock (_held)
        {
            _held.Remove(handle);
        }

        await _turn.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            if (_session is { } session)
            {
                using var limit = new CancellationTokenSource(Patience, database.Time);
                await session.CallAsync("pg_advisory_unlock", handle.Key, limit.Token).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is OperationCanceledException || DatabaseFault.IsPassing(e) || e is NpgsqlException or InvalidOperationException or StateStoreException)
        {
            // The lock must end in any case: it ends with its session, and the others of this process are taken again.
            await CloseAsync().ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
            await file.DisposeAsync().ConfigureAwait(false);
        }
    }

    private long Key(string slot) => BitConverter.ToInt64(SHA256.HashData(Encoding.UTF8.GetBytes(nameOf(slot))));

    private sealed class Handle(WorkingLocks owner, long key, FileLock file) : IAsyncDisposable
    {
        private int _disposed;

        public long Key => key;

        public ValueTask DisposeAsync() =>
            Interlocked.Exchange(ref _disposed, 1) == 0 ? owner.GiveBackAsync(this, file) : ValueTask.CompletedTask;
    }
}
