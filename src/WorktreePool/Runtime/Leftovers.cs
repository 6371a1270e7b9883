namespace WorktreePool.Runtime;

/// <summary>
/// Deals with processes that still work in a slot which nobody holds: what they write would make it dirty again, or be destroyed under them.
/// </summary>
internal sealed class Leftovers(PoolContext context)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    /// <summary>How long a process that was asked to end may tidy up before it is killed.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    /// <summary>How long a killed process may take to go: it can be in a system call.</summary>
    private static readonly TimeSpan Dying = TimeSpan.FromSeconds(5);

    /// <summary>How long a child of this process may take to become its program: a moment, but the machine may be busy.</summary>
    private static readonly TimeSpan Starting = TimeSpan.FromSeconds(1);

    /// <summary>Ends or awaits them, as <see cref="WorktreePoolOptions.LeftoverProcesses"/> says.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Why the slot cannot be used; null when nobody is left in it.</returns>
    public async ValueTask<string?> EndAsync(SlotRecord slot, CancellationToken cancellationToken)
    {
        long start = context.Time.GetTimestamp();
        TimeSpan grace = context.Options.ReleaseTimeout / 4 < Grace ? context.Options.ReleaseTimeout / 4 : Grace;
        HashSet<ProcessIdentity> asked = [];
        while (true)
        {
            TimeSpan waited = context.Time.GetElapsedTime(start);
            IReadOnlyList<WorkingProcess> left = context.Processes.FindIn(slot.Path);
            List<WorkingProcess> ours = [.. left.Where(process => process is { IsMarked: true, IsStarting: false } && context.Options.LeftoverProcesses == LeftoverPolicy.Kill)];
            foreach (WorkingProcess process in ours)
            {
                if (waited >= grace)
                {
                    context.Processes.Kill(process.Identity);
                }
                else if (asked.Add(process.Identity))
                {
                    context.Processes.Terminate(process.Identity);
                }
            }

            bool goesOn = context.Options.LeftoverProcesses switch
            {
                LeftoverPolicy.Kill => ours.Count > 0 && waited < grace + Dying,
                LeftoverPolicy.Wait => left.Count > 0 && waited < context.Options.ReleaseTimeout / 2,
                _ => false,
            };

            // Whatever is started anywhere in this process at the moment holds for an instant what the probe of this slot had open.
            goesOn |= waited < Starting && left.Any(process => process.IsStarting);
            if (!goesOn)
            {
                return left.Count == 0 ? null
                    : $"{FindingIds.ProcessLeft}: {string.Join(", ", left.Take(5).Select(process => $"{process.Name} ({process.Identity.Pid})"))} still work{(left.Count == 1 ? "s" : "")} in {slot.Slot}. Nothing was touched. End what is not needed; the slot is tried again by itself (LeftoverProcesses is {context.Options.LeftoverProcesses})";
            }

            await Task.Delay(Look, context.Time, cancellationToken).ConfigureAwait(false);
        }
    }
}
