namespace WorktreePool.Testing;

/// <summary>What shall happen at certain calls of one verb; made by <see cref="ScriptedGitBackend.At"/>. The parts run in the order they were added.</summary>
public sealed class GitScript
{
    private readonly GitVerb _verb;
    private readonly int _call;
    private readonly string? _slot;
    private readonly List<Func<TimeProvider, CancellationToken, Task>> _parts = [];
    private int _seen;

    internal GitScript(GitVerb verb, int call, string? slot) => (_verb, _call, _slot) = (verb, call, slot);

    /// <summary>The call takes time, by the backend's clock. Cancellation ends it.</summary>
    /// <param name="time">How long.</param>
    public GitScript Delay(TimeSpan time) => Add((clock, token) => Task.Delay(time, clock, token));

    /// <summary>The call says that it arrived, and waits until it is let on or cancelled.</summary>
    /// <param name="gate">Where it waits.</param>
    public GitScript WaitAt(GitGate gate)
    {
        ArgumentNullException.ThrowIfNull(gate);
        return Add((_, token) => gate.PassAsync(token));
    }

    /// <summary>The call never ends unless it is cancelled: a git process that hangs.</summary>
    public GitScript Hang() => Add((clock, token) => Task.Delay(Timeout.InfiniteTimeSpan, clock, token));

    /// <summary>The call says that it arrived, and waits until it is let on, deaf to cancellation: a disk that does not answer.</summary>
    /// <param name="gate">Where it waits.</param>
    public GitScript StallAt(GitGate gate)
    {
        ArgumentNullException.ThrowIfNull(gate);
        return Add((_, _) => gate.PassAsync(CancellationToken.None));
    }

    /// <summary>Something else happens, for example another process changes the slot.</summary>
    /// <param name="action">What.</param>
    public GitScript Do(Action action) => Add((_, _) =>
    {
        action();
        return Task.CompletedTask;
    });

    /// <summary>The call fails with a <see cref="GitBackendException"/>.</summary>
    public GitScript Fail() => Fail("scripted failure");

    /// <summary>The call fails.</summary>
    /// <param name="message">The message of a <see cref="GitBackendException"/>.</param>
    public GitScript Fail(string message) => Fail(() => new GitBackendException(message));

    /// <summary>The call fails.</summary>
    /// <param name="exception">Makes what it throws.</param>
    public GitScript Fail(Func<Exception> exception) => Add((_, _) => Task.FromException(exception()));

    internal bool Matches(GitCall call)
    {
        if (call.Verb != _verb || (_slot is not null && _slot != call.Slot))
        {
            return false;
        }

        _seen++;
        return _call == 0 || _call == _seen;
    }

    internal async Task RunAsync(TimeProvider clock, CancellationToken cancellationToken)
    {
        foreach (Func<TimeProvider, CancellationToken, Task> part in _parts)
        {
            await part(clock, cancellationToken).ConfigureAwait(false);
        }
    }

    private GitScript Add(Func<TimeProvider, CancellationToken, Task> part)
    {
        _parts.Add(part);
        return this;
    }
}

/// <summary>A place in a script where calls wait until the test lets them on.</summary>
public sealed class GitGate
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the first call arrived.</summary>
    public Task Reached => _reached.Task;

    /// <summary>Lets all calls on, those waiting and those to come.</summary>
    public void Open() => _open.TrySetResult();

    internal Task PassAsync(CancellationToken cancellationToken)
    {
        _reached.TrySetResult();
        return _open.Task.WaitAsync(cancellationToken);
    }
}
