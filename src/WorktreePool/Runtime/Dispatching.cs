namespace WorktreePool.Runtime;

/// <summary>Lets one dispatcher of a name in at a time, over all processes and hosts, and none while the pool is paused.</summary>
internal sealed class Dispatching(PoolContext context, Gates gates, Presence presence, LossWatch watch)
{
    /// <summary>How often one who queues looks whether the dispatcher has died: no store can notify of that.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    /// <summary>Enters, waiting for the present dispatcher to leave for at most <paramref name="wait"/>.</summary>
    public async ValueTask<DispatchAttempt> EnterAsync(string name, TimeSpan wait, CancellationToken cancellationToken)
    {
        if (Names.WhyNotGate(name) is { } bad)
        {
            throw new ArgumentException(bad, nameof(name));
        }

        using var deadline = new Deadline(context.Time, wait > TimeSpan.Zero ? wait : Timeout.InfiniteTimeSpan, cancellationToken);
        DispatchAttempt? attempt = null;
        try
        {
            while (true)
            {
                (attempt, string stamp) = await TryOnceAsync(name, deadline.Token).ConfigureAwait(false);
                if (attempt.Inside is null || wait <= TimeSpan.Zero)
                {
                    return attempt;
                }

                await context.WaitForChangeAsync(stamp, Look, deadline.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (deadline.HasPassed && attempt is not null)
        {
            return attempt;
        }
    }

    private async ValueTask<(DispatchAttempt Attempt, string Stamp)> TryOnceAsync(string name, CancellationToken cancellationToken)
    {
        PoolState state = await context.ReadAsync(cancellationToken).ConfigureAwait(false);
        if (state.Pool.Paused is { } paused)
        {
            string why = paused.Reason.Length > 0 ? $": {paused.Reason}" : "";
            return (new DispatchAttempt(null, null, Liveness.Unknown, paused, $"Pool \"{context.Name}\" is paused since {paused.Since:u}{why}. Dispatcher \"{name}\" has nothing to do until worktree-pool resume."), state.Stamp);
        }

        await presence.EnsureAsync(cancellationToken).ConfigureAwait(false);
        GateTry tried = await gates.TryEnterAsync(GateOf(name), cancellationToken).ConfigureAwait(false);
        if (tried.Entry is { } entry)
        {
            return (new DispatchAttempt(new HeldGate(gates, watch, name, GateOf(name), entry), null, Liveness.Unknown, null, ""), tried.State.Stamp);
        }

        Liveness liveness = context.Processes.GetLiveness(tried.Inside!.Holder);
        string life = liveness == Liveness.Alive ? "which is alive" : "which cannot be seen from here";
        return (new DispatchAttempt(null, tried.Inside, liveness, null,
            $"Dispatcher \"{name}\" of pool \"{context.Name}\" runs already, since {tried.Inside.Since:u} in process {tried.Inside.Holder.Pid} on {tried.Inside.Holder.Host}, {life}. Two would dispatch the same work twice: let it finish, or end it."), tried.State.Stamp);
    }

    private static string GateOf(string name) => $"dispatch:{name}";
}
