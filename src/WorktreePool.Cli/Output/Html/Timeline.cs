namespace WorktreePool.Cli.Output.Html;

/// <summary>One lease on one slot, as the history tells it.</summary>
/// <param name="Key">What it was for.</param>
/// <param name="Start">When it was handed out.</param>
/// <param name="End">When it ended; null while it goes on.</param>
/// <param name="Ended">How it ended; null while it goes on.</param>
internal sealed record LeaseSpan(string Key, DateTimeOffset Start, DateTimeOffset? End, HistoryEvent? Ended);

/// <summary>The leases of each slot over time, put together from the history.</summary>
internal static class Timeline
{
    /// <summary>Each slot's leases, oldest first; slots that had none are not there.</summary>
    /// <param name="history">Entries, newest first.</param>
    public static IReadOnlyDictionary<string, List<LeaseSpan>> Of(IEnumerable<HistoryEntry> history)
    {
        Dictionary<string, List<LeaseSpan>> slots = [];
        foreach (HistoryEntry entry in history.Reverse().Where(entry => entry.Slot is not null))
        {
            bool begins = entry.Event == HistoryEvent.Claimed;
            if (!begins && !slots.ContainsKey(entry.Slot!))
            {
                continue;
            }

            if (!slots.TryGetValue(entry.Slot!, out List<LeaseSpan>? leases))
            {
                slots[entry.Slot!] = leases = [];
            }

            // Whatever follows a claim on the same slot ends it, but what is said of a slot that is still held: a state file was restored.
            if (entry.Event != HistoryEvent.Restored && leases is [.., { End: null } open])
            {
                leases[^1] = open with { End = entry.At, Ended = begins ? HistoryEvent.Reclaimed : entry.Event };
            }

            if (begins)
            {
                leases.Add(new LeaseSpan(entry.Key ?? "", entry.At, null, null));
            }
        }

        return slots;
    }
}
