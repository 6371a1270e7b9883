namespace WorktreePool.Cli.Output.Html;

/// <summary>The report's chart of leases over time: a lane for each slot, a bar for each lease.</summary>
internal static class LeaseChart
{
    /// <summary>What is older is not drawn: bars would be too thin to see.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    private static readonly TimeSpan Shortest = TimeSpan.FromMinutes(1);

    /// <summary>So many lanes can be read; the busiest are drawn.</summary>
    private const int MostLanes = 60;

    public static void Add(HtmlWriter page, PoolSnapshot snapshot, IReadOnlyList<HistoryEntry> history, DateTimeOffset now)
    {
        IReadOnlyDictionary<string, List<LeaseSpan>> slots = Timeline.Of(history);
        DateTimeOffset start = Start(slots.Values.SelectMany(leases => leases), now);
        List<(string Slot, List<LeaseSpan> Leases)> lanes = [.. snapshot.Slots.Select(slot => slot.Record.Slot).Where(slots.ContainsKey)
            .Select(slot => (slot, slots[slot].Where(lease => (lease.End ?? now) > start).ToList())).Where(lane => lane.Item2.Count > 0)];
        HashSet<string> drawn = [.. lanes.OrderByDescending(lane => lane.Leases.Count).Take(MostLanes).Select(lane => lane.Slot)];
        page.AddMarkup("<section><h2>Leases</h2>");
        if (lanes.Count == 0)
        {
            page.AddMarkup("""<p class="soft">No lease in the last day.</p></section>""");
            return;
        }

        page.AddMarkup("""<div class="lanes">""");
        foreach ((string slot, List<LeaseSpan> leases) in lanes.Where(lane => drawn.Contains(lane.Slot)))
        {
            page.Add($"""<div class="lane"><span class="small">{slot}</span><div class="track">""");
            foreach (LeaseSpan lease in leases)
            {
                AddLease(page, lease, start, now);
            }

            page.AddMarkup("</div></div>");
        }

        page.AddMarkup("</div>");
        page.Add($"""<div class="scale"><span>{Ago.Long(now - start)} ago</span><span>now</span></div>""");
        page.AddMarkup("""<div class="legend"><span><i style="background:var(--busy)"></i>held</span><span><i style="background:color-mix(in srgb, var(--busy) 55%, var(--quiet))"></i>released</span><span><i style="background:var(--warn)"></i>reclaimed from a dead holder</span><span><i style="background:var(--broken)"></i>quarantined</span></div>""");
        if (snapshot.Slots.Count > drawn.Count)
        {
            page.Add($"""<p class="soft small">{snapshot.Slots.Count - drawn.Count} other slots {(lanes.Count > drawn.Count ? "had fewer leases" : "had no lease")} in this time.</p>""");
        }

        page.AddMarkup("</section>");
    }

    private static DateTimeOffset Start(IEnumerable<LeaseSpan> leases, DateTimeOffset now)
    {
        DateTimeOffset earliest = now - Longest;
        DateTimeOffset first = leases.Select(lease => lease.Start).Where(at => at >= earliest).DefaultIfEmpty(earliest).Min();
        return first > now - Shortest ? now - Shortest : first;
    }

    private static void AddLease(HtmlWriter page, LeaseSpan lease, DateTimeOffset start, DateTimeOffset now)
    {
        double whole = (now - start).TotalSeconds;
        double from = Math.Max(0, (lease.Start - start).TotalSeconds), to = Math.Max(from, ((lease.End ?? now) - start).TotalSeconds);
        string kind = lease.Ended switch { null => "held", HistoryEvent.Released => "released", HistoryEvent.Quarantined => "quarantined", _ => "reclaimed" };
        page.Add($"""<div class="lease {kind}" style="left:{100 * from / whole:0.##}%;width:{100 * (to - from) / whole:0.##}%" title="{lease.Key}: {kind}, {Ago.Short((lease.End ?? now) - lease.Start)}, from {lease.Start:u}"><span>{lease.Key}</span></div>""");
    }
}
