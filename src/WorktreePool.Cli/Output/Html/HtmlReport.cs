namespace WorktreePool.Cli.Output.Html;

/// <summary>The report for a browser: one file without scripts and without anything from elsewhere, for a desk and for a phone.</summary>
internal static class HtmlReport
{
    /// <summary>How many of the last events are listed.</summary>
    private const int ListedEvents = 30;

    /// <summary>The page.</summary>
    /// <param name="snapshot">The pool now.</param>
    /// <param name="history">Entries, newest first.</param>
    /// <param name="now">When it is made.</param>
    public static string Of(PoolSnapshot snapshot, IReadOnlyList<HistoryEntry> history, DateTimeOffset now)
    {
        var page = new HtmlWriter();
        page.AddMarkup("""<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">""");

        // Nothing from elsewhere, whatever a name of a key or a file would like to be.
        page.AddMarkup("""<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">""");
        page.Add($"<title>{snapshot.Pool}: worktree pool</title>");
        page.AddMarkup($"<style>{Style()}</style></head><body>");
        AddHead(page, snapshot, now);
        AddSlots(page, snapshot, now);
        LeaseChart.Add(page, snapshot, history, now);
        page.AddMarkup("""<div class="two">""");
        AddHeals(page, history);
        AddWaits(page, history);
        page.AddMarkup("</div>");
        AddEvents(page, history, now);
        page.Add($"<footer>Made by worktree-pool status --html at {now:u} from {history.Count} entries of the history{(history.Count > 0 ? $", the oldest of {history[^1].At:u}" : "")}.</footer></body></html>");
        return page.ToString();
    }

    private static string Style()
    {
        using Stream style = typeof(HtmlReport).Assembly.GetManifestResourceStream("report.css")!;
        using var reader = new StreamReader(style);
        return reader.ReadToEnd();
    }

    private static void AddHead(HtmlWriter page, PoolSnapshot snapshot, DateTimeOffset now)
    {
        page.Add($"""<h1>{snapshot.Pool}</h1><p class="soft small">base <code>{snapshot.BaseRef}</code> at <code>{snapshot.BaseCommit ?? "nothing"}</code></p><div class="counts">""");
        PoolCounts counts = snapshot.Counts;
        foreach ((string name, int count, string kind) in new[]
        {
            ("slots", counts.Total, ""), ("free", counts.Free, "free"), ("leased", counts.Leased, "busy"), ("healing", counts.Preparing + counts.Cleaning, "busy"),
            ("quarantined", counts.Quarantined, counts.Quarantined > 0 ? "broken" : ""), ("absent", counts.Absent, counts.Absent > 0 ? "warn" : ""),
        })
        {
            page.Add($"""<div class="count {kind}"><b>{count}</b>{name}</div>""");
        }

        page.AddMarkup("</div>");
        List<string> advice = StatusRows.Advice(snapshot);
        page.Add($"""<section class="advice {(advice.Count == 0 ? "calm" : "")}"><h2>{(advice.Count == 0 ? "Nothing needs doing" : "What to do next")}</h2>""");
        if (snapshot.Paused is { } paused)
        {
            page.Add($"<p><b>Paused for {Ago.Long(now - paused.Since)}.</b> {paused.Reason}</p>");
        }

        foreach (string line in advice)
        {
            page.Add($"<p>{line}</p>");
        }

        page.AddMarkup("</section>");
    }

    private static void AddSlots(HtmlWriter page, PoolSnapshot snapshot, DateTimeOffset now)
    {
        page.AddMarkup("<section><h2>Slots</h2><table><thead><tr><th>slot<th>state<th>key<th>held for<th>owner<th>note</thead><tbody>");
        foreach (StatusRow row in StatusRows.Of(snapshot, now))
        {
            page.Add($"""<tr><td>{row.Slot}</td><td><span class="state {Mapping.Name(row.Alarm)}">{row.State}</span></td><td>{row.Key}</td>""");
            foreach ((string label, string text) in new[] { ("held for", row.Since), ("", row.Owner), ("", row.Note) })
            {
                // Empty cells vanish on a phone, with their labels.
                page.Add($"""<td data-label="{label}">{text}</td>""");
            }

            page.AddMarkup("</tr>");
        }

        page.AddMarkup("</tbody></table></section>");
    }

    private static void AddHeals(HtmlWriter page, IReadOnlyList<HistoryEntry> history)
    {
        page.AddMarkup("<section><h2>Healed, by finding</h2>");
        List<(string Finding, int Times)> heals = Figures.Heals(history);
        AddBars(page, [.. heals.Select(heal => (heal.Finding, heal.Times, FindingWords.Of(heal.Finding).Meaning))], "Nothing had to be healed.");
        page.AddMarkup("</section>");
    }

    private static void AddWaits(HtmlWriter page, IReadOnlyList<HistoryEntry> history)
    {
        page.AddMarkup("<section><h2>How long claims waited for a slot</h2>");
        List<TimeSpan> waits = [.. history.Select(entry => entry.Waited).OfType<TimeSpan>().Order()];
        AddBars(page, waits.Count == 0 ? [] : [.. Figures.WaitsByLength(waits).Select(wait => (wait.Label, wait.Claims, ""))], "No claim yet.");
        if (waits.Count > 0)
        {
            List<TimeSpan> prepared = [.. history.Select(entry => entry.Prepared).OfType<TimeSpan>().Order()];
            page.Add($"""<p class="soft small">Of {waits.Count} claims half waited at most {Ago.Short(Figures.Quantile(waits, 0.5))}, 95% at most {Ago.Short(Figures.Quantile(waits, 0.95))}, the longest {Ago.Short(waits[^1])}. Making the slot ready took {Ago.Short(Figures.Quantile(prepared, 0.5))} in half of them, at most {Ago.Short(Figures.Quantile(prepared, 0.95))} in 95%.</p>""");
        }

        page.AddMarkup("</section>");
    }

    private static void AddBars(HtmlWriter page, IReadOnlyList<(string Label, int Value, string Meaning)> bars, string nothing)
    {
        if (bars.Count == 0)
        {
            page.Add($"""<p class="soft">{nothing}</p>""");
            return;
        }

        int most = Math.Max(1, bars.Max(bar => bar.Value));
        page.AddMarkup("""<div class="bars">""");
        foreach ((string label, int value, string meaning) in bars)
        {
            page.Add($"""<span>{label}</span><div style="width:{100.0 * value / most:0.#}%{(value == 0 ? ";min-width:0" : "")}"></div><b>{value}</b>""");
            if (meaning.Length > 0)
            {
                page.Add($"""<span class="soft">{meaning}</span>""");
            }
        }

        page.AddMarkup("</div>");
    }

    private static void AddEvents(HtmlWriter page, IReadOnlyList<HistoryEntry> history, DateTimeOffset now)
    {
        page.AddMarkup("<section><h2>The last events</h2>");
        page.AddMarkup(history.Count == 0 ? """<p class="soft">Nothing has happened yet.</p>""" : "<table><thead><tr><th>event<th>slot<th>key<th>when<th>about</thead><tbody>");
        foreach (HistoryEntry entry in history.Take(ListedEvents))
        {
            page.Add($"""<tr><td>{Mapping.Name(entry.Event)}</td><td>{entry.Slot}</td><td>{entry.Key}</td><td title="{entry.At:u}">{Ago.Long(now - entry.At)} ago</td><td>{HistoryText.About(entry)}</td></tr>""");
        }

        page.AddMarkup(history.Count == 0 ? "</section>" : "</tbody></table></section>");
    }
}
