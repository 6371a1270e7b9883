namespace WorktreePool.Git.LibGit2;

/// <summary>Work on a slot's files that several threads share.</summary>
internal static class Sharing
{
    /// <summary>More threads than this wait for the file system's locks, not for its answers.</summary>
    private const int MostThreads = 8;

    /// <summary>Runs work on this thread and on others beside it, each of which takes what is left until nothing is, and waits until all have ended.</summary>
    /// <remarks>
    /// The others are threads of their own: one of .NET's pool is woken where its waker runs, and on some machines waits there 1 to 3 ms for it to pause;
    /// a new one begins on an idle processor, within 0.3 ms.
    /// </remarks>
    /// <param name="worth">How many threads the work is worth; no more than there are processors, and no more than eight, are used.</param>
    /// <param name="work">What this thread does.</param>
    /// <param name="help">What each of the others does.</param>
    /// <param name="stop">Is called as soon as one of them fails, so that the others take no more.</param>
    /// <exception cref="Exception">What one of them failed with; this thread's own comes first.</exception>
    public static void Run(int worth, Action work, Action help, Action stop)
    {
        Exception? failed = null;
        int started = 0;
        Thread[] others = [.. Enumerable.Range(1, Math.Max(0, Math.Min(Math.Min(worth, Environment.ProcessorCount), MostThreads) - 1)).Select(_ => new Thread(Help) { IsBackground = true })];
        try
        {
            while (started < others.Length && TryStart(others[started]))
            {
                started++;
            }

            work();
        }
        catch
        {
            stop();
            throw;
        }
        finally
        {
            foreach (Thread other in others.AsSpan(0, started))
            {
                other.Join();
            }
        }

        if (failed is not null)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failed);
        }

        // Where no thread is to be had, those who are there do the work.
        static bool TryStart(Thread thread)
        {
            try
            {
                thread.Start();
                return true;
            }
            catch (Exception e) when (e is OutOfMemoryException or ThreadStartException)
            {
                return false;
            }
        }

        void Help()
        {
            try
            {
                help();
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref failed, e, null);
                stop();
            }
        }
    }
}
