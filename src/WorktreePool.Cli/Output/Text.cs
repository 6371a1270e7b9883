using System.Globalization;
using System.Text;
using WorktreePool.Cli.Readiness;

namespace WorktreePool.Cli.Output;

/// <summary>Answers for people.</summary>
internal static class Text
{
    public static string Claim(SlotLease lease) => string.Create(CultureInfo.InvariantCulture, $"""
        {(lease.IsAttached ? "attached" : "claimed")} {lease.Slot} for {lease.Key}
          path    {lease.Path}
          at      {lease.Commit}{(lease.Branch is null ? " (detached)" : $" on {lease.Branch}")}
          token   {lease.Token.Value}
          until   {(lease.ExpiresAt is { } end ? $"{end:u}, unless renewed" : "its owner ends")}{(lease.Healed.Count > 0 ? $"\n  healed  {string.Join(", ", lease.Healed)}" : "")}{(lease.Rescued.Count > 0 ? $"\n  rescued {string.Join(", ", lease.Rescued)}" : "")}
        """);

    public static string Status(PoolSnapshot snapshot, DateTimeOffset now)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{StatusRows.Headline(snapshot)}\nbase {snapshot.BaseRef} at {snapshot.BaseCommit ?? "nothing"}\n");
        if (snapshot.Paused is { } paused)
        {
            text.Append(CultureInfo.InvariantCulture, $"PAUSED since {paused.Since:u} {paused.Reason}\n");
        }

        List<string[]> rows = [["slot", "state", "key", "since", "owner", "note"]];
        rows.AddRange(StatusRows.Of(snapshot, now).Select(row => new[] { row.Slot, row.State, row.Key, row.Since, row.Owner, row.Note.ReplaceLineEndings(" ") }));
        text.Append(Table(rows));
        foreach (string advice in StatusRows.Advice(snapshot))
        {
            text.Append(CultureInfo.InvariantCulture, $"\n-> {advice}");
        }

        return text.ToString();
    }

    public static string Findings(IEnumerable<Finding> findings) => string.Join('\n', findings.Select(finding => $"  {finding.Id}: {finding.Detail}"));

    public static string Readiness(string repository, int slots, List<Check> checks, bool isReady)
    {
        var text = new StringBuilder();
        foreach (Check check in checks)
        {
            string verdict = check.Verdict switch { Verdict.Ready => "ok   ", Verdict.Warns => "WARN ", _ => "FAILS" };
            text.Append(CultureInfo.InvariantCulture, $"{verdict} {check.Id}: {check.Detail}\n");
            if (check.Remedy is { } remedy)
            {
                text.Append(CultureInfo.InvariantCulture, $"        {remedy}\n");
            }
        }

        text.Append(isReady ? $"{repository} is ready for a pool of {slots} slots: worktree-pool init --repo {repository} --slots {slots}" : $"{repository} is not ready for a pool of {slots} slots; nothing was changed.");
        return Wrapping.ToScreen(Printable.Of(text.ToString()));
    }

    /// <summary>Columns of equal width; the last one as long as it likes, on a terminal in as many lines as it needs.</summary>
    public static string Table(IReadOnlyList<string[]> rows)
    {
        int[] widths = [.. Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length))];
        string table = string.Join('\n', rows.Select(row => string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd()));
        return Screen.IsTerminal ? Wrapping.Wrap(table, Screen.Width, widths[..^1].Sum(width => width + 2)) : table;
    }
}
