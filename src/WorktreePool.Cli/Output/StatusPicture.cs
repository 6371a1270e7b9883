using Spectre.Console;
using Spectre.Console.Rendering;
using Words = Spectre.Console.Text;

namespace WorktreePool.Cli.Output;

/// <summary>The status for a terminal.</summary>
internal static class StatusPicture
{
    /// <summary>Below this many columns the last three share one.</summary>
    private const int Narrow = 100;

    /// <summary>Below this many a table has no room for words: a slot is a line, and what is to be said of it follows, further in.</summary>
    private const int Slim = 60;

    /// <summary>The whole picture.</summary>
    /// <param name="snapshot">The pool.</param>
    /// <param name="now">The time to tell ages by.</param>
    /// <param name="mostRows">How many rows there is room for; those that matter most are shown.</param>
    public static IRenderable Of(PoolSnapshot snapshot, DateTimeOffset now, int mostRows = int.MaxValue)
    {
        List<IRenderable> parts = [new Words($"{StatusRows.Headline(snapshot)}\nbase {snapshot.BaseRef} at {snapshot.BaseCommit ?? "nothing"}")];
        if (snapshot.Paused is { } paused)
        {
            parts.Add(new Words($"PAUSED for {Ago.Long(now - paused.Since)}. {paused.Reason}", new Style(Color.Yellow, decoration: Decoration.Bold)));
        }

        List<StatusRow> rows = StatusRows.Fit(StatusRows.Of(snapshot, now), mostRows);
        parts.AddRange(Screen.Width < Slim ? rows.SelectMany(Lines) : [Table(rows)]);
        parts.AddRange(StatusRows.Advice(snapshot).Select(advice => new Words($"→ {advice}", new Style(Color.Yellow))));
        return new Rows(parts);
    }

    private static Table Table(List<StatusRow> rows)
    {
        bool isNarrow = Screen.Width < Narrow;
        var table = new Table { Border = TableBorder.Rounded, Expand = false };
        foreach (string heading in isNarrow ? ["slot", "state", "key", "about"] : new[] { "slot", "state", "key", "since", "owner", "note" })
        {
            table.AddColumn(new TableColumn(new Words(heading, new Style(decoration: Decoration.Bold))) { NoWrap = heading is "slot" or "state" or "since" });
        }

        foreach (StatusRow row in rows)
        {
            Style style = StyleOf(row.Alarm);
            string[] rest = isNarrow ? [About(row)] : [row.Since, row.Owner, row.Note];
            table.AddRow([new Words(row.Slot), new Words(row.State, style), new Words(row.Key), .. rest.Select(text => new Words(text))]);
        }

        return table;
    }

    private static IEnumerable<IRenderable> Lines(StatusRow row)
    {
        yield return new Words(string.Join("  ", new[] { row.Slot, row.State, row.Key }.Where(text => text.Length > 0)), StyleOf(row.Alarm));
        if (About(row) is { Length: > 0 } about)
        {
            yield return new Padder(new Words(about), new Padding(2, 0, 0, 0));
        }
    }

    private static string About(StatusRow row) => string.Join(", ", new[] { row.Since, row.Owner, row.Note }.Where(text => text.Length > 0));

    private static Style StyleOf(Alarm alarm) => alarm switch
    {
        Alarm.Broken => new Style(Color.Red, decoration: Decoration.Bold),
        Alarm.Warning => new Style(Color.Yellow),
        Alarm.Busy => new Style(Color.Aqua),
        _ => Style.Plain,
    };
}
