namespace WorktreePool.Cli.Output;

/// <summary>How a row is to be taken.</summary>
internal enum Alarm
{
    None,
    Busy,
    Warning,
    Broken,
}

/// <summary>One line of the status: a slot, or several free ones in a row that there is nothing to say about.</summary>
internal sealed record StatusRow(string Slot, string State, string Key, string Since, string Owner, string Note, Alarm Alarm);

/// <summary>The status as rows and advice, whoever shows it.</summary>
internal static class StatusRows
{
    /// <summary>So much of a note tells what it is about, where there is little room.</summary>
    private const int ShortNote = 60;

    public static List<StatusRow> Of(PoolSnapshot snapshot, DateTimeOffset now)
    {
        List<StatusRow> rows = [];
        for (int i = 0; i < snapshot.Slots.Count;)
        {
            int quiet = SlotRange.Length(snapshot.Slots, i, slot => IsQuiet(slot.Record));
            if (quiet >= SlotRange.Worthwhile)
            {
                rows.Add(new StatusRow(SlotRange.Name(snapshot.Slots[i].Record.Slot, snapshot.Slots[i + quiet - 1].Record.Slot), "free", "", "", "", $"{quiet} slots", Alarm.None));
                i += quiet;
            }
            else
            {
                rows.Add(Row(snapshot.Slots[i], now));
                i++;
            }
        }

        return rows;
    }

    /// <summary>The pool's name, and how many slots stand where; where none does is not said.</summary>
    public static string Headline(PoolSnapshot snapshot)
    {
        PoolCounts counts = snapshot.Counts;
        IEnumerable<string> parts = new[]
        {
            (counts.Free, "free"), (counts.Leased, "leased"), (counts.Preparing, "preparing"), (counts.Cleaning, "cleaning"), (counts.Quarantined, "quarantined"), (counts.Absent, "absent"),
        }.Where(part => part.Item1 > 0).Select(part => $"{part.Item1} {part.Item2}");
        return $"{snapshot.Pool}: {counts.Total} slots: {string.Join(", ", parts)}";
    }

    /// <summary>At most so many rows, with short notes: those that alarm most, in their order, and a last one that says how many there are besides.</summary>
    public static List<StatusRow> Fit(List<StatusRow> rows, int most)
    {
        if (rows.Count <= most)
        {
            return rows;
        }

        HashSet<StatusRow> kept = [.. rows.OrderByDescending(row => row.Alarm).Take(Math.Max(1, most - 1))];
        return [.. rows.Where(kept.Contains).Select(row => row with { Note = Short(row.Note) }), new StatusRow("…", "", "", "", "", $"{rows.Count - kept.Count} more: worktree-pool status", Alarm.None)];
    }

    private static string Short(string note) => note.Length > ShortNote ? $"{note[..ShortNote]}…" : note;

    /// <summary>What to do next; nothing when nothing needs doing.</summary>
    public static List<string> Advice(PoolSnapshot snapshot)
    {
        List<string> advice = [];
        if (snapshot.Obstacle is { } obstacle)
        {
            advice.Add($"Nothing can be claimed or released: {obstacle}");
        }

        if (snapshot.Paused is not null)
        {
            advice.Add("No claim is granted. When the reason is gone: worktree-pool resume");
        }

        if (snapshot.Counts.Quarantined > 0)
        {
            advice.Add("See what is wrong with the quarantined slots: worktree-pool doctor; try again now: worktree-pool doctor --fix");
        }

        if (snapshot.Drift.Count > 0)
        {
            string more = snapshot.Drift.Count > 1 ? $" and {snapshot.Drift.Count - 1} more" : "";
            advice.Add($"The repository is not as it was trusted: {snapshot.Drift[0].Id}{more}. See worktree-pool doctor; undo it, or accept it with worktree-pool trust");
        }

        if (snapshot.Slots.Any(IsDead))
        {
            advice.Add("Some owners are gone. The next claim takes their slots; to do it now: worktree-pool maintain");
        }

        if (snapshot.Paused is null && snapshot.Counts.Total > 0 && snapshot.Counts.Leased == snapshot.Counts.Total && !snapshot.Slots.Any(IsDead))
        {
            advice.Add("All slots are held. Release one (worktree-pool release --key KEY), or add some (worktree-pool init --repo REPO --slots N)");
        }

        return advice;
    }

    /// <summary>Why a slot is set aside, how often that failed, and when it is tried again.</summary>
    public static string Why(QuarantineRecord quarantine, DateTimeOffset now) =>
        $"{quarantine.Reason.TrimEnd('.')}. Failed {(quarantine.Failures == 1 ? "once" : $"{quarantine.Failures} times")}; {(quarantine.RetryAt > now ? $"again in {Ago.Long(quarantine.RetryAt - now)}" : "due for another try")}.";

    private static bool IsQuiet(SlotRecord record) => record.State == SlotState.Free && record.LastHeal is null && record.Quarantine is null;

    private static bool IsDead(SlotSnapshot slot) => slot.Overdue || (slot.Record.State == SlotState.Leased && slot.OwnerLiveness == Liveness.Dead);

    private static StatusRow Row(SlotSnapshot snapshot, DateTimeOffset now)
    {
        SlotRecord record = snapshot.Record;
        string owner = record.Lease?.Owner.Process is { } process ? $"pid {process.Pid}{(snapshot.OwnerLiveness == Liveness.Dead ? ", gone" : "")}"
            : record.Lease?.ExpiresAt is { } end ? end > now ? $"{Ago.Long(end - now)} left" : $"ran out {Ago.Long(now - end)} ago"
            : "";
        string note = record.Quarantine is { } quarantine ? Why(quarantine, now)
            : record.LastHeal is { } heal ? $"healed {Ago.Long(now - heal.At)} ago: {string.Join(", ", heal.Findings)}"
            : "";
        note = Printable.Of(note);
        Alarm alarm = record.State switch
        {
            SlotState.Quarantined => Alarm.Broken,
            _ when IsDead(snapshot) => Alarm.Warning,
            SlotState.Leased or SlotState.Preparing or SlotState.Cleaning => Alarm.Busy,
            _ => Alarm.None,
        };
        return new StatusRow(
            record.Slot, Mapping.Name(record.State) + (snapshot.Overdue ? ", overdue" : ""), record.Lease?.Key ?? "",
            record.Lease is { } lease ? $"{Ago.Long(now - lease.ClaimedAt)}" : "", owner, note, alarm);
    }
}
