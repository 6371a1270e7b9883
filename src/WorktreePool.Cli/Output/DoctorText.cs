using System.Globalization;
using System.Text;

namespace WorktreePool.Cli.Output;

/// <summary>What the doctor found, for people: each slot's verdict and why, what a fix does or did, and what to do next.</summary>
/// <param name="report">What was found.</param>
/// <param name="after">The pool since then: who holds what, and why something is set aside.</param>
/// <param name="now">The time to tell ages by.</param>
internal sealed class DoctorText(DoctorReport report, PoolSnapshot after, DateTimeOffset now)
{
    private readonly StringBuilder _text = new();
    private readonly Dictionary<string, SlotRecord> _records = after.Slots.ToDictionary(slot => slot.Record.Slot, slot => slot.Record);

    /// <summary>The whole text.</summary>
    /// <param name="fix">Whether it was to be fixed.</param>
    public string Of(bool fix)
    {
        for (int i = 0; i < report.Slots.Count;)
        {
            int quiet = SlotRange.Length(report.Slots, i, IsQuiet);
            if (quiet >= SlotRange.Worthwhile)
            {
                Line($"{SlotRange.Name(report.Slots[i].Slot, report.Slots[i + quiet - 1].Slot)}: ready ({quiet} slots)");
                i += quiet;
            }
            else
            {
                Tell(report.Slots[i], fix);
                i++;
            }
        }

        Line(report.Repository.Count == 0 ? "repository: nothing found" : "repository:");
        Explain(report.Repository, "--fix");
        foreach (string advice in Advice(fix))
        {
            Line($"-> {advice}");
        }

        return Printable.Of(_text.ToString().TrimEnd());
    }

    private static bool IsQuiet(SlotExamination slot) => slot is { IsReady: true, Fixed: false, Findings.Count: 0, State: not SlotState.Leased };

    private void Tell(SlotExamination slot, bool fix)
    {
        SlotRecord? record = _records.GetValueOrDefault(slot.Slot);
        string verdict = slot.Fixed ? "fixed"
            : !slot.IsReady ? slot.Findings.Count > 0 ? "NOT READY" : $"NOT READY: {Mapping.Name(slot.State)}, and whoever had it is gone"
            : slot.State != SlotState.Leased ? "ready"
            : record?.Lease is { } lease ? $"leased {Ago.Long(now - lease.ClaimedAt)} ago for {lease.Key}, not examined" : "leased, not examined";
        Line($"{slot.Slot}: {verdict}");
        if (record?.Quarantine is { } quarantine)
        {
            Line($"  set aside: {StatusRows.Why(quarantine, now)}");
        }

        Explain(slot.Findings, slot.Fixed ? "done" : fix ? "tried" : "--fix");
    }

    private List<string> Advice(bool fix)
    {
        List<string> advice = [];
        int ill = report.Slots.Count(slot => !slot.IsReady && !slot.Fixed);
        if (ill > 0)
        {
            string many = $"{ill} of {report.Slots.Count} slots {(ill == 1 ? "is" : "are")} not ready";
            advice.Add(fix ? $"{many} in spite of the fix: remove the cause that is told above, then worktree-pool doctor --fix" : $"{many}. To heal, keeping work: worktree-pool doctor --fix");
        }

        if (report.Slots.Any(slot => slot.Fixed))
        {
            advice.Add("What was found in the fixed slots is kept: worktree-pool rescue list");
        }

        return advice;
    }

    /// <summary>The id, the evidence, what it means, and what a fix does or did.</summary>
    private void Explain(IReadOnlyList<Finding> findings, string remedyIs)
    {
        foreach (Finding finding in findings)
        {
            (string meaning, string remedy) = FindingWords.Of(finding.Id);
            Line($"  {finding.Id}: {finding.Detail}\n      {meaning}\n      {remedyIs}: {remedy}");
        }
    }

    private void Line(string line) => _text.Append(CultureInfo.InvariantCulture, $"{line}\n");
}
