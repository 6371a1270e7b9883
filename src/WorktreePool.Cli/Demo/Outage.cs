using System.Diagnostics;
using WorktreePool.Cli.Output;

namespace WorktreePool.Cli.Demo;

/// <summary>The state of 3 June, step by step, and what the pool makes of it.</summary>
internal sealed class Outage(Scratch scratch, IWorktreePool pool, int slots, TextWriter story)
{
    /// <summary>Records say free; two worktrees are on stale branches with scratch files and stale locks; one claimer is killed half way.</summary>
    public async Task BreakAsync(CancellationToken cancellationToken)
    {
        for (int slot = 0; slot < slots - 1; slot++)
        {
            string path = scratch.Slot(slot);
            await Scratch.GitAsync(path, "checkout", "-q", "-b", $"slot{slot + 1}/mc-MC-{4633 + slot}");
            await File.AppendAllTextAsync(Path.Combine(path, "README.md"), "half an edit\n", cancellationToken);
            await File.WriteAllTextAsync(Path.Combine(path, "scratch.txt"), "a worker's notes\n", cancellationToken);
            await File.WriteAllTextAsync(Path.Combine(path, "debug.log"), "ignored, and still there\n", cancellationToken);
            string admin = await Scratch.GitAsync(path, "rev-parse", "--absolute-git-dir");
            await File.WriteAllTextAsync(Path.Combine(admin, "index.lock"), "", cancellationToken);
        }

        await KillAClaimerAsync(cancellationToken);
    }

    /// <summary>Slots as recorded, and as plain git sees them.</summary>
    public async Task<bool> ShowAsync(CancellationToken cancellationToken)
    {
        PoolSnapshot snapshot = await pool.GetSnapshotAsync(cancellationToken);
        string wanted = $"detached at {await Scratch.GitAsync(scratch.Repository, "rev-parse", "--short", "refs/remotes/origin/main")}";
        List<string[]> rows = [["slot", "recorded as", "git: HEAD", "git: not clean", "lock left"]];
        bool isReady = true;
        foreach (SlotSnapshot slot in snapshot.Slots)
        {
            int number = rows.Count - 1;
            (string head, int dirty) = await scratch.ExamineAsync(number);
            bool isLocked = File.Exists(Path.Combine(await Scratch.GitAsync(scratch.Slot(number), "rev-parse", "--absolute-git-dir"), "index.lock"));
            rows.Add([slot.Record.Slot, Mapping.Name(slot.Record.State), head, $"{dirty} paths", isLocked ? "index.lock" : ""]);
            isReady &= slot.Record.State == SlotState.Free && head == wanted && dirty == 0 && !isLocked;
        }

        story.WriteLine(Text.Table(rows));
        return isReady;
    }

    /// <summary>Dispatches what fits, works, releases; until no ticket is left.</summary>
    public async Task DispatchAsync(IReadOnlyList<string> tickets, CancellationToken cancellationToken)
    {
        for (IReadOnlyList<string> left = tickets; left.Count > 0;)
        {
            BatchClaim batch = await pool.ClaimWhatFitsAsync([.. left.Select(key => new ClaimRequest { Key = key, Branch = $"cr/{key.ToLowerInvariant()}" })], cancellationToken);
            List<string[]> rows = [["ticket", "outcome", "slot", "healed", "rescued first"]];
            rows.AddRange(batch.Results.Select((result, i) => result.Lease is { } lease
                ? new[] { left[i], $"claimed in {lease.Prepared.TotalMilliseconds:0} ms", lease.Slot, string.Join(' ', lease.Healed), string.Join(' ', lease.Rescued) }
                : [left[i], $"refused: {Mapping.Name(result.Refusal!.Reason)}", "", $"{result.Refusal.Counts.Free} of {result.Refusal.Counts.Total} slots free", ""]));
            story.WriteLine(Text.Table(rows));
            story.WriteLine();
            foreach (SlotLease lease in batch.Results.Select(result => result.Lease).OfType<SlotLease>())
            {
                await File.WriteAllTextAsync(Path.Combine(lease.Path, "work.txt"), lease.Key, cancellationToken);
                await Scratch.GitAsync(lease.Path, "add", "work.txt");
                await Scratch.GitAsync(lease.Path, "commit", "-q", "-m", lease.Key);
                await lease.ReleaseAsync(ReleaseMode.Discard, cancellationToken);
            }

            List<string> next = [.. batch.Results.Select((result, i) => (result, key: left[i])).Where(pair => pair.result.Lease is null).Select(pair => pair.key)];
            if (next.Count == left.Count)
            {
                throw new IOException($"No slot could be claimed: {batch.Results[0].Refusal!.Message}");
            }

            left = next;
        }
    }

    private async Task KillAClaimerAsync(CancellationToken cancellationToken)
    {
        // Its file behind the slow filter is gone, so the claim has to write it, and that takes long enough to be killed in.
        File.Delete(Path.Combine(scratch.Slot(slots - 1), "model.bin"));
        for (int slot = 0; slot < slots - 1; slot++)
        {
            File.Delete(Path.Combine(scratch.Slot(slot), "model.bin"));
        }

        (string program, string[] arguments) = Self();
        using Process claimer = Process.Start(new ProcessStartInfo(program, [.. arguments, "run", "--pool", scratch.Pool, "--key", "MC-4699", "--", "sleep", "30"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        }) ?? throw new IOException("the claimer did not start");
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while ((await pool.GetSnapshotAsync(cancellationToken)).Counts.Preparing == 0 && !claimer.HasExited)
        {
            await timer.WaitForNextTickAsync(cancellationToken);
        }

        claimer.Kill();
        await claimer.WaitForExitAsync(cancellationToken);
    }

    /// <summary>How to start this program again.</summary>
    private static (string Program, string[] Arguments) Self()
    {
        string program = Environment.ProcessPath!;
        return Path.GetFileNameWithoutExtension(program) == "dotnet" ? (program, [Path.Combine(AppContext.BaseDirectory, "worktree-pool.dll")]) : (program, []);
    }
}
