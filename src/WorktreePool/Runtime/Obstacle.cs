namespace WorktreePool.Runtime;

/// <summary>Finds out why nothing goes on, for whoever has waited in vain.</summary>
internal static class Obstacle
{
    /// <summary>How long the look itself may take, within the 250 ms after a deadline: the disk it looks at may be what hangs.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(150), ShortLook = TimeSpan.FromMilliseconds(20);

    private const string Overdue = "a call to the file system, or to git, has not come back; its slot stays locked until it does";

    /// <summary>In words, as the middle of a sentence; null when nothing is in the way.</summary>
    /// <param name="context">The pool.</param>
    /// <param name="isOverdue">Whether a call has not come back although its time is over.</param>
    public static async ValueTask<string?> FindAsync(PoolContext context, bool isOverdue)
    {
        try
        {
            string? found = await Task.Run(() => context.Store.FindObstacleAsync(CancellationToken.None).AsTask()).WaitAsync(isOverdue ? ShortLook : Look, context.Time).ConfigureAwait(false);
            return found ?? (isOverdue ? Overdue : null);
        }
        catch (TimeoutException)
        {
            return isOverdue ? Overdue : null;
        }
        catch (StateStoreException e)
        {
            return e.Message;
        }
    }

    /// <summary>Who was stopped while it worked on a slot; nobody when the look itself takes too long.</summary>
    public static async Task<IReadOnlyList<StoppedWorker>> FindStoppedAsync(PoolContext context)
    {
        try
        {
            return await Task.Run(() => context.Store.FindStoppedWorkersAsync(CancellationToken.None).AsTask()).WaitAsync(Look, context.Time).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or StateStoreException)
        {
            return [];
        }
    }
}
