namespace WorktreePool.Cli.Output;

/// <summary>The history for people.</summary>
internal static class HistoryText
{
    public static string Of(IReadOnlyList<HistoryEntry> entries, DateTimeOffset now) => entries.Count == 0
        ? "nothing has happened, or nothing that was asked for"
        : Printable.Of(Text.Table([["when", "event", "slot", "key", "about"], .. entries.Select(entry => new[]
        {
            $"{Ago.Long(now - entry.At)} ago", Mapping.Name(entry.Event), entry.Slot ?? "", entry.Key ?? "", About(entry),
        })]));

    /// <summary>What is to be said of an entry besides its event, slot and key.</summary>
    public static string About(HistoryEntry entry) => string.Join("; ", new[]
    {
        entry.Findings.Count > 0 ? $"{Verb(entry.Event)} {string.Join(", ", entry.Findings)}" : "",
        entry.Rescued.Count > 0 ? $"kept {string.Join(", ", entry.Rescued)}" : "",
        entry.Waited is { } waited && waited >= TimeSpan.FromSeconds(0.1) ? $"waited {Ago.Short(waited)}" : "",
        entry.Detail?.ReplaceLineEndings(" ") ?? "",
    }.Where(part => part.Length > 0));

    /// <summary>What a holder leaves behind is no damage, so a release heals nothing.</summary>
    private static string Verb(HistoryEvent what) => what switch
    {
        HistoryEvent.Quarantined => "found",
        HistoryEvent.Released => "cleaned",
        _ => "healed",
    };
}
