using Microsoft.Extensions.DependencyInjection;
using WorktreePool.Desync.Tests.Damage;
using WorktreePool.Desync.Tests.Fixture;
using WorktreePool.Desync.Tests.Verification;

namespace WorktreePool.Desync.Tests;

/// <summary>Damages a slot, asks the pool for it, and finds out what came of it.</summary>
internal sealed class Trial(Bench bench, FixtureKind kind, params IReadOnlyList<DamagedState> states)
{
    private readonly SlotCheck _slot = new(bench, [.. states.SelectMany(state => state.Keep)]);

    /// <summary>Ids of what the claim said it had healed.</summary>
    public IReadOnlyList<string> Healed { get; private set; } = [];

    /// <summary>Ids of what the doctor said about the repository afterwards.</summary>
    public IReadOnlyList<string> Reported { get; private set; } = [];

    /// <summary>Before the claim so many processes heal the slot, each ended by SIGKILL at one of its crash points.</summary>
    public IReadOnlyList<int> KillAt { get; init; } = [];

    /// <summary>How many of them did not come to their end.</summary>
    public int Kills { get; private set; }

    /// <summary>Why the slot was not granted.</summary>
    public string? Reason { get; private set; }

    /// <summary>Whether the slot was granted, rather than set aside with a reason.</summary>
    public bool Granted { get; private set; }

    /// <summary>Of a stack nobody can tell beforehand what may be impossible; but it must be said.</summary>
    private bool MayQuarantine => states.Count > 1 || states.Any(state => state.MayQuarantine);

    private IReadOnlyList<string> Keep => [.. states.SelectMany(state => state.Keep)];

    /// <summary>The free slot is damaged; a claim must give it ready.</summary>
    /// <returns>What went wrong.</returns>
    public async Task<List<string>> ClaimAsync()
    {
        await bench.ResetAsync(kind);
        await bench.DamageAsync(states);
        Snapshot before = await Snapshot.TakeAsync(bench);
        foreach (int point in KillAt)
        {
            Kills += await bench.KillWhileHealingAsync(point) ? 1 : 0;
        }

        await using ServiceProvider services = bench.Open(Keep);
        return await ClaimAsync(services, before);
    }

    /// <summary>The slot is damaged while it is leased; a release must leave it ready, and the next claim give it.</summary>
    /// <returns>What went wrong.</returns>
    public async Task<List<string>> ReleaseAsync()
    {
        await bench.ResetAsync(kind);
        await using ServiceProvider services = bench.Open(Keep);
        SlotLease lease = await Pool(services).ClaimAsync(new ClaimRequest { Key = "holder" });
        lease.Path.Should().Be(bench.Slot);
        await bench.DamageAsync(states);
        Snapshot before = await Snapshot.TakeAsync(bench);
        List<string> wrong = [];
        string? commit = null;
        using (new Leak(bench, states))
        {
            try
            {
                commit = (await lease.ReleaseAsync(ReleaseMode.Discard)).Commit;
            }
            catch (WorktreePoolException e) when (MayQuarantine && e.Message.Length > 0)
            {
                // It is set aside, and says why.
            }
            catch (WorktreePoolException e)
            {
                wrong.Add(e.Message);
            }
        }

        wrong.AddRange(commit is null ? [] : await _slot.FindAsync(commit));
        wrong.AddRange(HarmCheck.Find(bench, before, await Snapshot.TakeAsync(bench)).Select(harm => $"HARM: {harm}"));
        return wrong.Count > 0 ? [.. wrong.Select(what => $"release: {what}")] : await ClaimAsync(services, before);
    }

    private async Task<List<string>> ClaimAsync(ServiceProvider services, Snapshot before)
    {
        List<string> wrong = [];
        SlotLease? lease = null;
        using (new Leak(bench, states))
        {
            try
            {
                ClaimResult result = await Pool(services).TryClaimAsync(new ClaimRequest { Key = "next" });
                (lease, Reason) = (result.Lease, result.Refusal?.Message);
                if (result.Refusal is { Reason: not RefusalReason.Quarantined })
                {
                    wrong.Add($"refused as {result.Refusal.Reason}");
                }
            }
            catch (WorktreePoolException e)
            {
                Reason = e.Message;
            }
        }

        Snapshot now = await Snapshot.TakeAsync(bench);
        wrong.AddRange(HarmCheck.Find(bench, before, now).Select(harm => $"HARM: {harm}"));
        if (lease is null)
        {
            if (string.IsNullOrWhiteSpace(Reason) || !MayQuarantine)
            {
                wrong.Add($"not granted: {Reason}");
            }

            return wrong;
        }

        Granted = true;
        Healed = lease.Healed;
        lease.Detach();
        if (lease.Path != bench.Slot)
        {
            wrong.Add($"granted {lease.Path}");
        }

        if (lease.Commit != bench.Current.Commit && lease.Commit != await bench.HeadOfOriginAsync())
        {
            wrong.Add($"granted at {lease.Commit}");
        }

        wrong.AddRange(await _slot.FindAsync(lease.Commit));
        wrong.AddRange(await ReportAsync(services, now));
        return wrong;
    }

    /// <summary>What is left in the repository must be reported; if nothing is, plain git must work in the slot.</summary>
    private async Task<List<string>> ReportAsync(ServiceProvider services, Snapshot now)
    {
        DoctorReport doctor;
        using (new Leak(bench, states))
        {
            try
            {
                doctor = await services.GetRequiredKeyedService<IPoolOperator>("desync").ExamineAsync(fix: false);
            }
            catch (GitBackendException) when (MayQuarantine)
            {
                // A slot can be made ready where the doctor cannot look, for want of a git.
                return [];
            }
        }

        List<string> wrong = File.Exists(bench.Canary) ? ["HARM: planted code ran while the doctor looked"] : [];
        Reported = [.. doctor.Repository.Select(finding => finding.Id).Distinct()];
        List<(string What, string Finding)> residue = await ResidueCheck.FindAsync(bench, now);

        // Whom it belongs to is not for the pool to change.
        wrong.AddRange(residue.Where(left => !Reported.Contains(left.Finding)).Select(left => $"{left.What} is left in the repository, and no {left.Finding} says so"));
        wrong.AddRange(residue.Where(left => bench.IsIsolated && left.Finding != FindingIds.ForeignOwner).Select(left => $"{left.What} is left in the repository, which is the pool's own"));
        if (residue.Count == 0)
        {
            // What is in the holder's home is the holder's; here the next one has another.
            await bench.Shell.RunAsync($"cp -a {bench.Current.Path}/home/. $ROOT/home/");
            wrong.AddRange(await _slot.UseAsync());
            if (File.Exists(bench.Canary))
            {
                wrong.Add("HARM: planted code ran for the next holder");
            }
        }

        return wrong;
    }

    private static IWorktreePool Pool(ServiceProvider services) => services.GetRequiredKeyedService<IWorktreePool>("desync");
}
