namespace WorktreePool;

/// <summary>
/// A process that works on a slot, or is about to, and was stopped (SIGSTOP, Ctrl-Z, a debugger). It keeps the slot as any living process does, and
/// claims pass the slot by, until it goes on or ends.
/// </summary>
/// <param name="Slot">The slot.</param>
/// <param name="Pid">The process, on this machine.</param>
/// <param name="Name">What it runs, for people.</param>
/// <param name="Since">Since when it has had the slot's working lock, UTC.</param>
public sealed record StoppedWorker(string Slot, int Pid, string Name, DateTimeOffset Since)
{
    /// <summary>Who keeps the slot since when, and what to do: one sentence without its full stop.</summary>
    public override string ToString() =>
        $"process {Pid} ({Name}) has worked on {Slot} since {Since:u} and was stopped: let it go on (kill -CONT {Pid}), or end it (kill -9 {Pid}), and the next claim takes the slot over";
}
