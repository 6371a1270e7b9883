using Spectre.Console;
using Spectre.Console.Rendering;
using Words = Spectre.Console.Text;

namespace WorktreePool.Cli.Output;

/// <summary>The status for a terminal.</summary>
internal static class StatusPicture
{
    /// <summary>Below this many columns the last three share one.</summary>
    private const int Narrow = 100;

    /// <summary>The whole picture.</summary>
    /// <param name="snapshot">The pool.</param>
    /// <param name="now">The time to tell ages by.</param>
    /// <param name="mostRows">How many rows there is room for; those that matter most are shown.</param>
    public static IRenderable Of(PoolSnapshot snapshot, DateTimeOffset now, int mostRows = int.MaxValue)
    {
        bool isNarrow = Screen.Width < Narrow;
        var table = new Table { Border = TableBorder.Rounded, Expand = false };
        foreach (string heading in isNarrow ? ["slot", "state", "key", "about"] : new[] { "slot", "state", "key", "since", "owner", "note" })
        {
            table.AddColumn(new TableColumn(new Words(heading, new Style(decoration: Decoration.Bold))) { NoWrap = heading is "slot" or "state" or "since" });
        }

        foreach (StatusRow row in StatusRows.Fit(StatusRows.Of(snapshot, now), mostRows))
        {
            Style style = StyleOf(row.Alarm);
            string[] rest = isNarrow ? [string.Join(", ", new[] { row.Since, row.Owner, row.Note }.Where(text => text.Length > 0))] : [row.Since, row.Owner, row.Note];
            table.AddRow([new Words(row.Slot), new Words(row.State, style), new Words(row.Key), .. rest.Select(text => new Words(text))]);
        }

        List<IRenderable> parts = [new Words($"{StatusRows.Headline(snapshot)}\nbase {snapshot.BaseRef} at {snapshot.BaseCommit ?? "nothing"}")];
        if (snapshot.Paused is { } paused)
        {
            parts.Add(new Words($"PAUSED for {Ago.Long(now - paused.Since)}. {paused.Reason}", new Style(Color.Yellow, decoration: Decoration.Bold)));
        }

        parts.Add(table);
        parts.AddRange(StatusRows.Advice(snapshot).Select(advice => new Words($"→ {advice}", new Style(Color.Yellow))));
        return new Rows(parts);
    }

    private static Style StyleOf(Alarm alarm) => alarm switch
    {
        Alarm.Broken => new Style(Color.Red, decoration: Decoration.Bold),
        Alarm.Warning => new Style(Color.Yellow),
        Alarm.Busy => new Style(Color.Aqua),
        _ => Style.Plain,
    };
}
