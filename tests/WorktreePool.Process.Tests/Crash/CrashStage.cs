using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;

namespace WorktreePool.Process.Tests.Crash;

/// <summary>How a pool stands before an operation, and what must hold after a crash of it.</summary>
internal sealed partial class CrashStage(CrashSite site)
{
    /// <summary>How often an operation is begun anew that did not pass the point at which it was to be killed.</summary>
    private const int MostAttempts = 12;

    /// <summary>No process has it: pids are at most 4194304.</summary>
    private const int NoPid = 99_999_999;

    private static readonly LeaseOwner Dead = LeaseOwner.ForProcess(new ProcessIdentity(Environment.MachineName, "another boot", NoPid, 1));

    private static readonly LeaseOwner Lasting = LeaseOwner.ForDuration(TimeSpan.FromHours(1));

    private Sandbox Sandbox => site.Sandbox;

    /// <summary>Whether the slots belong to a repository of the pool's own, of which the user's clone knows nothing.</summary>
    private static bool IsOwn(string before) => before.StartsWith("own", StringComparison.Ordinal);

    /// <summary>The git directory that the slots belong to.</summary>
    private string Common(string before) => IsOwn(before) ? Path.Combine(Sandbox.PoolDirectory, "repository.git") : Path.Combine(Sandbox.Repository, ".git");

    /// <summary>Puts the pool into a state; work in it is a file work.txt.</summary>
    public async Task SetAsync(string before)
    {
        switch (before)
        {
            case "no pool" or "own":
                return;
            case "links":
                Commit("mkdir dir && echo file > dir/file.txt && ln -s file.txt dir/link && git add -A");
                CrashSite.Shell("git -C \"$1\" config extensions.worktreeConfig true", Sandbox.Repository);
                return;
            case "half set":
                // An init was killed while it wrote the settings, and is repeated with others.
                Directory.CreateDirectory(Sandbox.PoolDirectory);
                await File.WriteAllTextAsync(Path.Combine(Sandbox.PoolDirectory, "pool.json"), $$"""{ "repositoryPath": "{{Sandbox.Repository}}", "slots": 1 }""");
                await File.WriteAllTextAsync(Path.Combine(Sandbox.PoolDirectory, $"pool.json.{NoPid}.tmp"), "{ \"repos");
                await File.WriteAllTextAsync(Path.Combine(Sandbox.PoolDirectory, $"baseline.json.{NoPid}.1.tmp"), "{ \"con");
                return;
            case "submodule":
                // One that the user has cloned, and one that is recorded without an address.
                CrashSite.Shell("git init -q -b main \"$1/sub\" && cd \"$1/sub\" && echo sub > sub.txt && git add -A && git -c user.name=T -c user.email=t@example.invalid commit -qm sub", Sandbox.Root);
                Commit("git -c protocol.file.allow=always submodule --quiet add \"$1/sub\" sub && git update-index --add --cacheinfo \"160000,$(git -C \"$1/sub\" rev-parse HEAD),ghost\"");
                CrashSite.Shell("git -C \"$1\" -c protocol.file.allow=always submodule --quiet update --init sub", Sandbox.Repository);
                return;
        }

        await using ServiceProvider services = site.Open(2, IsOwn(before));
        IWorktreePool pool = services.GetRequiredKeyedService<IWorktreePool>("test");
        await services.GetRequiredKeyedService<IPoolOperator>("test").InitializeAsync();
        switch (before)
        {
            case "dirty":
                Sandbox.Git(Sandbox.Slot(0), "checkout", "-q", "-b", "slot1/stale");
                Work(0);
                File.WriteAllText(Path.Combine(Sandbox.Git(Sandbox.Slot(0), "rev-parse", "--absolute-git-dir"), "index.lock"), "");
                break;
            case "dead":
                await HoldAsync(pool, "other", Lasting);
                await HoldAsync(pool, "dead", Dead);
                Work(1);
                Sandbox.Git(Sandbox.Slot(1), "commit", "-qm", "work");
                File.WriteAllText(Path.Combine(Sandbox.Slot(1), "more.txt"), "more\n");
                break;
            case "held":
                await HoldAsync(pool, "held", Lasting);
                Work(0);
                Sandbox.Git(Sandbox.Slot(0), "commit", "-qm", "work");
                File.WriteAllText(Path.Combine(Sandbox.Slot(0), "more.txt"), "more\n");
                break;
            case "broken":
                File.Delete(Path.Combine(Sandbox.Slot(0), ".git"));
                File.WriteAllText(Path.Combine(Sandbox.Slot(1), "README.md"), "changed\n");
                Work(1);
                break;
            case "wrecked":
                await WreckAsync();
                break;
            case "old history":
                string history = Path.Combine(Sandbox.PoolDirectory, "history.jsonl");
                string entry = (await File.ReadAllLinesAsync(history))[0];
                await File.WriteAllLinesAsync(history, Enumerable.Repeat(OldTime().Replace(entry, "\"at\": \"2020-01-01T"), 1000).Append(entry));
                break;
            case "pipes":
                CrashSite.Shell("mkfifo \"$1/.git/objects/info/alternates\"", Sandbox.Repository);
                break;
            case "shortcut":
                Work(0);
                CrashSite.Shell("cd \"$1\" && git repack -adq && git multi-pack-index write && chmod u+w .git/objects/pack/multi-pack-index && head -c 100 /dev/zero > .git/objects/pack/multi-pack-index", Sandbox.Repository);
                break;
            case "missing":
                CrashSite.Shell("cd \"$1/.git/objects\" && id=$(git -C \"$1\" rev-parse HEAD:README.md) && rm -f \"$(echo \"$id\" | cut -c1-2)/$(echo \"$id\" | cut -c3-)\"", Sandbox.Repository);
                break;
            case "damaged":
                // A pack with a wrong byte in it; the copy is not linked to the remote's.
                CrashSite.Shell("""
                    cd "$1" && git repack -adq && git prune-packed
                    for pack in .git/objects/pack/*.pack; do cp "$pack" wrong && chmod u+w wrong && printf x | dd of=wrong bs=1 seek=20 conv=notrunc status=none && printf x | dd of=wrong bs=1 seek="$(($(stat -c %s wrong) - 1))" conv=notrunc status=none && mv -f wrong "$pack"; done
                    """, Sandbox.Repository);
                break;
            case "own strays":
                // Whatever a holder can do to a repository that is the pool's own.
                await HoldAsync(pool, "dead", Dead);
                Work(0);
                Sandbox.Git(Sandbox.Slot(0), "commit", "-qm", "work");
                File.WriteAllText(Path.Combine(Sandbox.Slot(0), "more.txt"), "more\n");
                CrashSite.Shell("""
                    cd "$1" && git branch stray && git tag stray-tag && git stash store -m stray "$(git stash create)" && git config core.bare true && git config core.hooksPath /nowhere
                    cd "$2" && rm -rf hooks info worktree-pool/owners && git update-ref -d refs/remotes/origin/main && : > objects/info/alternates
                    """, Sandbox.Slot(0), Common(before));
                break;
            case "own misnamed":
                // All that keeps a commit is a ref whose name nobody can say.
                CrashSite.Shell("cd \"$1\" && git -c user.name=T -c user.email=t@example.invalid commit-tree -m lost 'refs/remotes/origin/main^{tree}' > \"refs/heads/$(printf 'a\\377b')\"", Common(before));
                break;
            case "half rescued":
                // A power loss in the midst of a rescue: no pack, single objects that are empty or zeros, and a ref that is empty.
                SlotLease first = await pool.ClaimAsync(new ClaimRequest { Key = "lost" });
                Work(0);
                await first.ReleaseAsync();
                Work(0);
                CrashSite.Shell("""
                    cd "$1/.git" && ref=$(git for-each-ref --format='%(refname)' refs/worktree-pool/rescue)
                    git rev-list --objects --no-object-names "$ref" --not refs/remotes/origin/main | sed 's,..,objects/&/,' > "$2/lost" && rm objects/pack/* && size=0
                    while read -r file; do rm -f "$file" && head -c "$size" /dev/zero > "$file" && size=20; done < "$2/lost"
                    : > "$ref" && rm "$2/lost"
                    """, Sandbox.Repository, Sandbox.Root);
                break;
            case "rescued" or "own rescued":
                SlotLease lease = await pool.ClaimAsync(new ClaimRequest { Key = "lost" });
                Work(0);
                await lease.ReleaseAsync();
                break;
        }
    }

    /// <summary>What no copy can be made of, and so has to be made again each time.</summary>
    public void AddWhatCannotBeKept(string before)
    {
        if (before == "deep")
        {
            // Too deep for any path to name what is in it.
            CrashSite.Shell("cd \"$1\" && mkdir deep && cd deep && name=$(printf 'x%.0s' $(seq 200)) && for i in $(seq 30); do mkdir $name && { cd -P $name 2> /dev/null || cd $name; }; done && echo leaf > leaf", Sandbox.Slot(0));
        }
    }

    /// <summary>All at once: a moved base, work in repositories and under names that are odd, links and files in the place of directories, damaged state and debris of a writer that was killed.</summary>
    private async Task WreckAsync()
    {
        CrashSite.Shell("""
            cd "$1" && echo kept > "$(printf 'a\377b')" && git init -q inner && cd inner && echo in > in.txt && git add -A && git -c user.name=T -c user.email=t@example.invalid commit -qm inner
            """, Sandbox.Slot(0));
        CrashSite.Shell("rm -rf -- \"$1\" \"$2\" && ln -s / \"$1\" && echo file > \"$2\"", Sandbox.Slot(1), Path.Combine(Sandbox.Repository, ".git", "worktrees", "slot-1"));
        CrashSite.Shell("cd \"$1/objects\" && for i in 1 2 3 4 5 6 7 8 9; do echo end > \"$i\"; done", Sandbox.PoolDirectory);
        Commit("echo two > two.txt && git add -A");
        string state = Path.Combine(Sandbox.PoolDirectory, "state");
        await File.WriteAllTextAsync(Path.Combine(state, "slot-0.json"), "{ \"schema\": 1, \"sl");
        await File.WriteAllTextAsync(Path.Combine(state, "slot-1.json.tmp"), "");

        // Odd: whoever wrote last has died at it.
        await File.WriteAllBytesAsync(Path.Combine(state, "store.lock"), BitConverter.GetBytes(99L));
    }

    /// <summary>Commits to the remote's branch, and fetches. The script runs in a clone, with the sandbox's root as its argument.</summary>
    private void Commit(string script) => CrashSite.Shell($"""
        cd "$1/seed" && {script} && git -c user.name=T -c user.email=t@example.invalid commit -qm more && git push -q "$1/origin.git" main && cd "$1/repo" && git -c user.name=T -c user.email=t@example.invalid pull -q
        """, Sandbox.Root);

    /// <summary>Kills a process in the operation at each of the points, and lets the next one find what it left.</summary>
    public async Task ShouldSurviveKillsAsync(string operation, string before, List<string> chosen, ITestOutputHelper output, CancellationToken token)
    {
        List<string> unsafePoints = [];
        foreach (string point in chosen)
        {
            await KillAsync(operation, before, point);
            try
            {
                await ShouldSurviveAsync(operation, before, token);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                unsafePoints.Add($"{point}: {e.GetType().Name}: {e.Message}");
            }
        }

        output.WriteLine($"{operation} with {before}: killed at {chosen.Count} points, {unsafePoints.Count} of them unsafe");
        chosen.ForEach(output.WriteLine);
        unsafePoints.Should().BeEmpty();
    }

    private async Task KillAsync(string operation, string before, string point)
    {
        for (int attempt = 1; ; attempt++)
        {
            site.Restore();
            AddWhatCannotBeKept(before);
            (int code, string error) = await site.CrashAsync(operation, point);
            if (code != 0 || attempt == MostAttempts)
            {
                code.Should().Be(137, "{0} was to be killed at {1}: {2}", operation, point, error);
                return;
            }

            // It has ended without passing the point: whether git takes an index for younger than its files, and looks at them again, depends on the moment.
        }
    }

    /// <summary>The next process's claim succeeds at once; then everything comes back clean, with nothing lost and nothing left lying about.</summary>
    private async Task ShouldSurviveAsync(string operation, string before, CancellationToken token)
    {
        int slots = operation[0] - '0';
        if (operation.EndsWith("command", StringComparison.Ordinal))
        {
            // Whoever reads the settings meanwhile reads them whole; whoever was killed at it does it again.
            bool isThere = File.Exists(Path.Combine(Sandbox.PoolDirectory, "pool.json"));
            (int code, _, string error) = await Sandbox.RunAsync("config");
            code.Should().Be(isThere ? 0 : 78, error);
            await Sandbox.InitAsync(slots);
            (await Sandbox.RunAsync("status")).Code.Should().Be(0);
            Names(Sandbox.PoolDirectory).Should().NotContain(name => name.EndsWith(".tmp", StringComparison.Ordinal));
        }

        await using ServiceProvider services = site.Open(slots, IsOwn(before));
        IWorktreePool pool = services.GetRequiredKeyedService<IWorktreePool>("test");
        IPoolOperator @operator = services.GetRequiredKeyedService<IPoolOperator>("test");

        if (operation != "1-init")
        {
            ClaimResult claim = await pool.TryClaimAsync(new ClaimRequest { Key = "next", Branch = "cr/next" }, token);
            claim.Refusal?.Message.Should().BeNull("the next claim succeeds at once");
            Sandbox.Git(claim.Lease!.Path, "symbolic-ref", "--short", "HEAD").Should().Be("cr/next");
            Sandbox.Git(claim.Lease.Path, "rev-parse", "HEAD").Should().Be(Sandbox.Base);
            Sandbox.Git(claim.Lease.Path, "status", "--porcelain", "--ignored").Should().BeEmpty();
            await claim.Lease.ReleaseAsync(cancellationToken: token);
        }

        PoolSnapshot snapshot = await pool.GetSnapshotAsync(token);
        foreach (SlotSnapshot held in snapshot.Slots.Where(slot => slot.Record.State == SlotState.Leased && slot.OwnerLiveness != Liveness.Dead))
        {
            held.Record.Lease!.Key.Should().BeOneOf("held", "other");
            await @operator.ReleaseAsync(held.Record.Lease.Key, cancellationToken: token);
        }

        await @operator.InitializeAsync(token);
        await pool.MaintainAsync(token);
        snapshot = await pool.GetSnapshotAsync(token);
        snapshot.Counts.Should().Be(new PoolCounts(slots, slots, 0, 0, 0, 0, 0));
        for (int slot = 0; slot < slots; slot++)
        {
            Sandbox.ShouldBeReady(slot);
        }

        await NothingIsLostAsync(@operator, operation, before);
        NothingLiesAbout(slots, before);
    }

    private async Task NothingIsLostAsync(IPoolOperator @operator, string operation, string before)
    {
        Sandbox.Git(Sandbox.Repository, "branch", "--list", "cr/*").Should().BeEmpty();
        Sandbox.Git(Sandbox.Repository, "status", "--porcelain", "--ignored").Should().BeOneOf(["", "!! build/\n!! local.log"], "the main checkout is nobody's slot");
        Sandbox.Git(Sandbox.Repository, "fsck", "--connectivity-only", "--no-dangling");
        Sandbox.Git(Common(before), "fsck", "--connectivity-only", "--no-dangling");
        if (before is "dirty" or "half rescued" or "dead" or "own strays" or "held" && operation != "2-discard")
        {
            IReadOnlyList<Rescue> rescues = await @operator.Rescues.ListAsync(CancellationToken.None);
            rescues.Should().Contain(rescue => Sandbox.Git(Common(before), "ls-tree", "-r", "--name-only", rescue.Commit).Contains("work.txt"));
            if (before is not ("dirty" or "half rescued"))
            {
                rescues.Should().Contain(rescue => Sandbox.Git(Common(before), "ls-tree", "-r", "--name-only", rescue.Commit).Contains("more.txt"));
            }
        }

        if (before == "own misnamed")
        {
            (await @operator.Rescues.ListAsync(CancellationToken.None)).Should().NotBeEmpty("nobody else kept that commit");
        }

        if (before == "deep")
        {
            string kept = Path.Combine(Sandbox.PoolDirectory, "slots", ".kept");
            IReadOnlyList<Rescue> rescues = await @operator.Rescues.ListAsync(CancellationToken.None);
            Directory.GetDirectories(kept).Should().NotBeEmpty().And.OnlyContain(aside => rescues.Any(rescue => rescue.Aside == aside), "what was moved aside is listed");
            CrashSite.Shell("rm -rf -- \"$1\"", kept);
        }

        if (before is "rescued" or "own rescued")
        {
            string restored = Sandbox.Git(Common(before), "branch", "--list", "restored");
            ((await @operator.Rescues.ListAsync(CancellationToken.None)).Count > 0 || restored.Length > 0).Should().BeTrue("it is dropped only after it is restored");
        }
    }

    private void NothingLiesAbout(int slots, string before)
    {
        IEnumerable<string> names = Enumerable.Range(0, slots).Select(number => $"slot-{number}");
        Names(Path.Combine(Sandbox.PoolDirectory, "slots")).Should().BeEquivalentTo(names);
        Names(Path.Combine(Common(before), "worktrees")).Should().BeEquivalentTo(names);
        Names(Path.Combine(Sandbox.PoolDirectory, "state")).Concat(Names(Path.Combine(Sandbox.PoolDirectory, "state-copy")))
            .Should().NotContain(name => name.EndsWith(".tmp", StringComparison.Ordinal));
        Names(Path.Combine(Common(before), "worktree-pool")).Should().NotContain(name => name.StartsWith("slot-", StringComparison.Ordinal));
    }

    private static IEnumerable<string> Names(string directory) => Directory.Exists(directory) ? Directory.EnumerateFileSystemEntries(directory).Select(path => Path.GetFileName(path)) : [];

    private static async Task HoldAsync(IWorktreePool pool, string key, LeaseOwner owner)
    {
        SlotLease lease = await pool.ClaimAsync(new ClaimRequest { Key = key, Branch = $"cr/{key}", Owner = owner });
        lease.Detach();
    }

    private void Work(int slot)
    {
        File.WriteAllText(Path.Combine(Sandbox.Slot(slot), "work.txt"), "work\n");
        if (File.Exists(Path.Combine(Sandbox.Slot(slot), ".git")))
        {
            Sandbox.Git(Sandbox.Slot(slot), "add", "work.txt");
        }
    }

    [GeneratedRegex("\"at\": ?\"[0-9-]*T")]
    private static partial Regex OldTime();
}
