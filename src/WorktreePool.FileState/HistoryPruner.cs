namespace WorktreePool.FileState;

/// <summary>
/// Drops the oldest lines of the history: the rest is copied beside it and put in its place. What was there at the start is copied while others go on writing; under the store
/// lock, under which every line is added, only what came since. Killed anywhere, either file is whole; what is left beside it is written over the next time.
/// </summary>
/// <param name="path">The history.</param>
/// <param name="working">A directory on the same file system, for the lock of who drops and for the file that is made.</param>
internal sealed class HistoryPruner(string path, string working)
{
    /// <summary>Little is not worth the copy: the part of the history, one in so many, that must be to go.</summary>
    private const int WorthwhilePart = 10;

    /// <summary>How much of the limit is filled afterwards, so that it is not reached again at once.</summary>
    private const double Filled = 0.75;

    private const FileShare Everyone = FileShare.ReadWrite | FileShare.Delete;

    private readonly string _made = Path.Combine(working, "history.jsonl.new");

    /// <summary>Drops what is to go.</summary>
    /// <param name="before">Older lines go.</param>
    /// <param name="limit">About how many bytes may stay.</param>
    /// <param name="underStoreLock">Does the last, short part under the store lock.</param>
    /// <param name="cancellationToken">Ends the copy; then nothing has changed.</param>
    /// <returns>Whether something was dropped.</returns>
    public async ValueTask<bool> RunAsync(DateTimeOffset before, long limit, Func<Func<bool>, ValueTask<bool>> underStoreLock, CancellationToken cancellationToken)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        using FileLock? alone = FileLock.TryTake(Path.Combine(working, "history.lock"));
        if (alone is null)
        {
            return false;
        }

        using var old = new FileStream(path, FileMode.Open, FileAccess.Read, Everyone);
        long copied = old.Length;
        if (await FindCutAsync(old, copied, before, limit, cancellationToken).ConfigureAwait(false) is not { } cut)
        {
            return false;
        }

        using var made = new FileStream(_made, FileMode.Create, FileAccess.ReadWrite, Everyone, bufferSize: 0);
        CrashPoint.Reached("history begun anew");
        old.Position = cut;
        await CopyAsync(old, made, copied - cut, cancellationToken).ConfigureAwait(false);
        made.Flush(flushToDisk: true);
        CrashPoint.Reached("history copied");
        return await underStoreLock(() =>
        {
            // Taken away by hand, or put in place by a state that was moved here: it is not the file that was read.
            if (!File.Exists(path) || new FileInfo(path).Length != old.Length)
            {
                return false;
            }

            old.Position = copied;
            old.CopyTo(made);
            made.Flush(flushToDisk: true);
            File.Move(_made, path, overwrite: true);
            CrashPoint.Reached("history put in place");
            DirectorySync.Flush(Path.GetDirectoryName(path)!);
            return true;
        }).ConfigureAwait(false);
    }

    /// <summary>Where the first line that stays begins; null when too little is to go.</summary>
    private static async ValueTask<long?> FindCutAsync(FileStream history, long length, DateTimeOffset before, long limit, CancellationToken cancellationToken)
    {
        long atLeast = length > limit ? length - (long)(limit * Filled) : 0;
        long position = 0;
        await foreach (byte[] line in HistoryFile.LinesFromTheStart(history, length, cancellationToken).ConfigureAwait(false))
        {
            // A line that cannot be read was torn by a crash: it goes with those before it.
            if (position >= atLeast && HistoryFile.Parse(line) is { } entry && entry.At >= before)
            {
                break;
            }

            position += line.Length + 1;
        }

        position = Math.Min(position, length);
        return position > 0 && (atLeast > 0 || position >= length / WorthwhilePart) ? position : null;
    }

    private static async ValueTask CopyAsync(FileStream from, FileStream to, long bytes, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[1 << 16];
        for (int read; bytes > 0; bytes -= read)
        {
            read = await from.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, bytes)), cancellationToken).ConfigureAwait(false);
            if (read == 0)
            {
                throw new EndOfStreamException("The history became shorter meanwhile.");
            }

            await to.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
        }
    }
}
