namespace WorktreePool.FileState;

/// <summary>What the history is told, and tells.</summary>
internal sealed partial class FileSlotStateStore
{
    public async ValueTask AppendHistoryAsync(HistoryEntry entry, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(entry);
        byte[] line = HistoryFile.Write(entry);
        await ChangeAsync(
            _ =>
            {
                _history.Append(line);
                return true;
            },
            cancellationToken,
            FileAccess.Read).ConfigureAwait(false);
    }

    public async ValueTask<IReadOnlyList<HistoryEntry>> ReadHistoryAsync(HistoryQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Limit, 1);
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            return await _history.ReadAsync(query, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (IsStorageFault(e))
        {
            throw Unreadable(e);
        }
    }

    public async ValueTask<bool> PruneHistoryAsync(DateTimeOffset before, long limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            return await _pruner.RunAsync(before, limit, last => ChangeAsync(_ => last(), cancellationToken), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (IsStorageFault(e))
        {
            throw Unwritable(e);
        }
    }

    /// <summary>Under the store lock.</summary>
    private void TellContinued(LockHolder holder) => _history.Append(new HistoryEntry
    {
        At = _time.GetUtcNow(),
        Event = HistoryEvent.Continued,
        Host = Environment.MachineName,
        Detail = $"process {holder.Pid} ({holder.Name}) was stopped while it held the lock of the pool's state, and everybody waited: it was told to continue",
    });

    /// <summary>Under the store lock.</summary>
    private void TellRestored(string? slot, string damage) => _history.Append(new HistoryEntry
    {
        At = _time.GetUtcNow(),
        Event = HistoryEvent.Restored,
        Host = _host,
        Slot = slot,
        Detail = $"{slot ?? "pool-record"}.json in {_files.StateDirectory} was damaged and is restored from its copy: {damage}",
    });

    /// <summary>Under the store lock.</summary>
    /// <returns>Why it could not be added.</returns>
    private string? TryAppend(byte[] entry)
    {
        try
        {
            _history.Append(entry);
            return null;
        }
        catch (Exception e) when (IsStorageFault(e))
        {
            return Unwritable(e).Message;
        }
    }
}
