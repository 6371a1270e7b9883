using System.Globalization;
using System.Text;

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

    public static string Status(PoolSnapshot snapshot)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{snapshot.Pool}: {snapshot.Counts}\nbase {snapshot.BaseRef} at {snapshot.BaseCommit ?? "nothing"}\n");
        if (snapshot.Paused is { } paused)
        {
            text.Append(CultureInfo.InvariantCulture, $"PAUSED since {paused.Since:u} {paused.Reason}\n");
        }

        List<string[]> rows = [["slot", "state", "key", "since", "owner", "note"]];
        rows.AddRange(snapshot.Slots.Select(Row));
        return text.Append(Table(rows)).ToString();
    }

    public static string Findings(IEnumerable<Finding> findings) => string.Join('\n', findings.Select(finding => $"  {finding.Id}: {finding.Detail}"));

    public static string Doctor(DoctorReport report)
    {
        var text = new StringBuilder();
        foreach (SlotExamination slot in report.Slots)
        {
            string verdict = slot.Fixed ? "fixed" : !slot.IsReady ? "NOT READY" : slot.State == SlotState.Leased ? "leased" : "ready";
            text.Append(CultureInfo.InvariantCulture, $"{slot.Slot}: {verdict}\n{Findings(slot.Findings)}{(slot.Findings.Count > 0 ? "\n" : "")}");
        }

        text.Append(report.Repository.Count == 0 ? "repository: nothing found" : $"repository:\n{Findings(report.Repository)}");
        return text.ToString();
    }

    /// <summary>Columns of equal width, the last one as long as it likes.</summary>
    public static string Table(IReadOnlyList<string[]> rows)
    {
        int[] widths = [.. Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length))];
        return string.Join('\n', rows.Select(row => string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd()));
    }

    private static string[] Row(SlotSnapshot snapshot)
    {
        SlotRecord record = snapshot.Record;
        string owner = record.Lease?.Owner.Process is { } process
            ? $"pid {process.Pid} {(snapshot.OwnerLiveness == Liveness.Dead ? "(dead)" : "")}"
            : record.Lease?.ExpiresAt is { } end ? $"until {end:u}" : "";
        string note = record.Quarantine is { } quarantine ? $"{quarantine.Reason}; retried at {quarantine.RetryAt:u}"
            : record.LastHeal is { } heal ? $"healed {heal.At:u}: {string.Join(", ", heal.Findings)}" : "";
        return [record.Slot, Mapping.Name(record.State) + (snapshot.Overdue ? " overdue" : ""), record.Lease?.Key ?? "", record.Lease is { } lease ? $"{lease.ClaimedAt:u}" : "", owner.TrimEnd(), note];
    }
}
