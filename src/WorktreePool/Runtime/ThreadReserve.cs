namespace WorktreePool.Runtime;

/// <summary>
/// Sees to it that .NET has a thread to answer with while others hang in calls to a file system that is gone. Its pool starts with as many threads as there are
/// processors, and takes half a second for each one more: on two processors, two calls that hang would keep every timer and every answer of the process waiting.
/// </summary>
internal static class ThreadReserve
{
    /// <summary>An operation that hangs, and what looks after leases and after the pool in the background.</summary>
    private const int Usual = 3;

    private static readonly Lock Gate = new();
    private static bool _isMade;

    /// <summary>Makes the usual reserve, once for the process.</summary>
    public static void Make()
    {
        lock (Gate)
        {
            if (!_isMade)
            {
                _isMade = true;
                Raise(Usual);
            }
        }
    }

    /// <summary>Makes up for a thread that does not come back, until the work that it does has ended.</summary>
    public static async Task ReplaceAsync(Task hanging)
    {
        lock (Gate)
        {
            Raise(1);
        }

        await hanging.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (Gate)
        {
            Raise(-1);
        }
    }

    private static void Raise(int by)
    {
        ThreadPool.GetMinThreads(out int workers, out int completions);
        ThreadPool.SetMinThreads(workers + by, completions);
    }
}
