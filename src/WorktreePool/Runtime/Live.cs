namespace WorktreePool.Runtime;

/// <summary>Options that may be replaced while the pool is in use, never changed in place: whoever looks twice may see two, but each of them whole.</summary>
/// <param name="initial">What they are at first.</param>
internal sealed class Live<T>(T initial) where T : class
{
    private readonly Lock _lock = new();
    private volatile T _current = initial;
    private TaskCompletionSource _replaced = New();

    /// <summary>As they are now.</summary>
    public T Current => _current;

    /// <summary>Completes when they are replaced the next time.</summary>
    public Task Replaced
    {
        get
        {
            lock (_lock)
            {
                return _replaced.Task;
            }
        }
    }

    public void Replace(T next)
    {
        TaskCompletionSource told;
        lock (_lock)
        {
            (told, _replaced) = (_replaced, New());
            _current = next;
        }

        told.SetResult();
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
