using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace WorktreePool.Process.Tests.Storm;

/// <summary>
/// Eight workers run the command on four slots and are killed at random moments. A minute of it:
/// WORKTREE_POOL_STORM_SECONDS=60 dotnet test tests/WorktreePool.Process.Tests --filter FullyQualifiedName~KillStorm
/// </summary>
public sealed class KillStormTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int Workers = 8, Slots = 4;

    /// <summary>
    /// The job: alone in its slot and with its key, by locks that die with it; writes a file that nobody else has, and says so once it is on disk.
    /// </summary>
    private const string Job = """
        exec 8>"$MARKS/$WORKTREE_POOL_SLOT" 9>"$MARKS/key-$WORKTREE_POOL_KEY"
        flock -n 8 || echo "slot $WORKTREE_POOL_SLOT is held twice" >> "$MARKS/violations"
        flock -n 9 || echo "key $WORKTREE_POOL_KEY is held twice" >> "$MARKS/violations"
        [ "$PWD" = "$WORKTREE_POOL_PATH" ] || echo "not in the slot" >> "$MARKS/violations"
        [ -z "$(ls | grep '^job-')" ] || echo "$WORKTREE_POOL_SLOT was not clean: $(ls)" >> "$MARKS/violations"
        echo "$1" > "job-$1.txt"
        : > "$MARKS/written-$1"
        sleep "$2"
        """;

    private readonly Sandbox _sandbox = new();
    private int _jobs, _kills, _orphaned, _done;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static TimeSpan Duration => TimeSpan.FromSeconds(int.Parse(Environment.GetEnvironmentVariable("WORKTREE_POOL_STORM_SECONDS") ?? "10", CultureInfo.InvariantCulture));

    private string Marks => Path.Combine(_sandbox.Root, "marks");

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Fact]
    public async Task No_kill_at_any_moment_loses_a_slot_a_key_or_work()
    {
        Directory.CreateDirectory(Marks);
        await _sandbox.InitAsync(Slots);
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, Workers).Select(worker => Task.Run(() => WorkAsync(worker, watch), Token)));

        IWorktreePool pool = _sandbox.Pool(options => options.Slots = Slots);
        MaintenanceReport pass = await pool.MaintainAsync(Token);
        PoolSnapshot snapshot = await pool.GetSnapshotAsync(Token);

        string violations = Path.Combine(Marks, "violations");
        (File.Exists(violations) ? await File.ReadAllTextAsync(violations, Token) : "").Should().BeEmpty();
        pass.Quarantined.Should().BeEmpty();
        snapshot.Counts.Should().Be(new PoolCounts(Slots, Slots, 0, 0, 0, 0, 0), "one keeper pass makes every slot ready; set aside are {0}", string.Join("; ", snapshot.Slots.Select(slot => slot.Record.Quarantine?.Reason).OfType<string>()));
        for (int slot = 0; slot < Slots; slot++)
        {
            _sandbox.ShouldBeReady(slot);
        }

        Sandbox.Git(_sandbox.Repository, "branch", "--list", "cr/*").Should().BeEmpty();
        string[] written = [.. Directory.EnumerateFiles(Marks, "written-*").Select(file => $"job-{Path.GetFileName(file)[8..]}.txt")];
        Kept().Should().Contain(written, "work that was not discarded is kept");
        _kills.Should().BeGreaterThan((int)Duration.TotalSeconds / 2);
        if (Environment.GetEnvironmentVariable("WORKTREE_POOL_STORM_SECONDS") is not null)
        {
            _kills.Should().BeGreaterThanOrEqualTo((int)(Duration.TotalMinutes * 200), "a storm of a minute kills at least 200 times");
        }

        output.WriteLine($"{_kills} kills ({_orphaned} of the dispatcher alone) in {watch.Elapsed.TotalSeconds:0} s, {_done} jobs ended by themselves, {written.Length} wrote, all of it kept; 0 double holds, {Slots} of {Slots} slots ready");
    }

    private async Task WorkAsync(int worker, Stopwatch watch)
    {
        var random = new Random(worker);
        while (watch.Elapsed < Duration)
        {
            int job = Interlocked.Increment(ref _jobs);
            string key = $"K-{random.Next(Workers)}";
            string[] command = ["run", "--key", key, "--branch", $"cr/{key}", "--wait", "20s", "--", "sh", "-c", Job, "job", $"{job}", $"0.{random.Next(3)}"];
            using System.Diagnostics.Process process = Start(command);
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
            if (random.Next(10) < 9)
            {
                patience.CancelAfter(random.Next(100, 2500));
            }

            try
            {
                await process.WaitForExitAsync(patience.Token);
                Interlocked.Increment(ref _done);
            }
            catch (OperationCanceledException)
            {
                // The whole process group at once, a dispatcher and its job, as a service manager ends them; or the dispatcher alone, as an
                // out-of-memory killer does, and then its job lives on in the slot.
                if (random.Next(2) == 0 || process.Id <= 1 || KillGroup(process.Id, Signal.Kill) != 0)
                {
                    // Alone, or too early: it is not yet a group of its own.
                    process.Kill();
                    Interlocked.Increment(ref _orphaned);
                }

                await process.WaitForExitAsync(Token);
                Interlocked.Increment(ref _kills);
            }
        }
    }

    /// <summary>By the system call: some versions of the kill command read a negative number as "every process there is".</summary>
    [DllImport("libc", EntryPoint = "killpg")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int KillGroup(int group, int signal);

    private System.Diagnostics.Process Start(string[] command)
    {
        var start = new ProcessStartInfo("setsid", [Path.Combine(AppContext.BaseDirectory, "worktree-pool"), .. command]);
        start.Environment["WORKTREE_POOL"] = _sandbox.PoolDirectory;
        start.Environment["MARKS"] = Marks;
        start.RedirectStandardError = start.RedirectStandardOutput = true;
        System.Diagnostics.Process process = System.Diagnostics.Process.Start(start)!;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    /// <summary>The files of all rescues.</summary>
    private HashSet<string> Kept() =>
        [.. Sandbox.Git(_sandbox.Repository, "for-each-ref", "--format=%(objectname)", "refs/worktree-pool/rescue").Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .SelectMany(commit => Sandbox.Git(_sandbox.Repository, "ls-tree", "-r", "--name-only", commit).Split('\n'))];
}
