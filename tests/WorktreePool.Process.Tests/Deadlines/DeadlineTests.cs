using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace WorktreePool.Process.Tests.Deadlines;

/// <summary>Claim and release end by their deadline and 250 ms, whatever hangs, and the next claim recovers. What this machine is late by in those 250 ms is measured beside.</summary>
public sealed class DeadlineTests(ITestOutputHelper output) : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(3);

    private readonly Sandbox _sandbox = new();
    private readonly Lateness _lateness = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        _lateness.Dispose();
        await _sandbox.DisposeAsync();
    }

    [Fact]
    public async Task With_the_store_lock_held_by_a_stopped_process()
    {
        IWorktreePool pool = await ReadyAsync(slots: 2);
        SlotLease lease = await pool.ClaimAsync(new ClaimRequest { Key = "MC-0" }, Token);
        using System.Diagnostics.Process holder = Start("hold-file", Path.Combine(_sandbox.PoolDirectory, "state", "store.lock"));
        (await holder.StandardOutput.ReadLineAsync(Token)).Should().Be("held");
        Signal.Send(holder, Stop);
        try
        {
            (await EndsInTimeAsync<SlotUnavailableException>(() => pool.ClaimAsync(new ClaimRequest { Key = "MC-1" }, Token).AsTask()))
                .Message.Should().ContainAll($"process {holder.Id}", "store.lock", "since", "No slot for \"MC-1\" within 3 s");
            (await EndsInTimeAsync<ReleaseIncompleteException>(() => lease.ReleaseAsync(cancellationToken: Token).AsTask()))
                .Message.Should().ContainAll($"process {holder.Id}", "the lease is still held");
            (_, System.Text.Json.JsonElement status) = await _sandbox.JsonAsync("status");
            status.GetProperty("obstacle").GetString().Should().Contain($"process {holder.Id}");
            (_, System.Text.Json.JsonElement doctor) = await _sandbox.JsonAsync("doctor");
            doctor.GetProperty("repository").GetProperty("findings")[0].GetProperty("id").GetString().Should().Be("state-locked");
        }
        finally
        {
            holder.Kill();
        }

        await using SlotLease next = await pool.ClaimAsync(new ClaimRequest { Key = "MC-1" }, Token);
        next.Healed.Should().BeEmpty();
    }

    [Fact]
    public async Task A_process_stopped_in_the_middle_of_a_change_is_told_to_continue_and_keeps_nobody_waiting_for_long()
    {
        await _sandbox.InitAsync(1);
        using System.Diagnostics.Process stopped = Start("stop-in-change", _sandbox.PoolDirectory, "slot-7");
        (await stopped.StandardOutput.ReadLineAsync(Token)).Should().Be("stopping");
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (State(stopped.Id) != 'T')
        {
            await timer.WaitForNextTickAsync(Token);
        }

        string? obstacle = null;
        while (obstacle is null)
        {
            obstacle = (await _sandbox.JsonAsync("status")).Json.GetProperty("obstacle").GetString();
        }

        (await _sandbox.RunAsync("claim", "--key", "MC-1", "--wait", "30s")).Code.Should().Be(0);

        (await stopped.StandardOutput.ReadLineAsync(Token)).Should().Be("Applied", "its change is whole: nobody took the lock from it");
        obstacle.Should().ContainAll($"process {stopped.Id}", "stopped", "since");
        (_, System.Text.Json.JsonElement history) = await _sandbox.JsonAsync("history");
        history.ToString().Should().Contain("continued").And.Contain($"process {stopped.Id}");
    }

    [Fact]
    public async Task With_a_slot_whose_worker_was_stopped()
    {
        IWorktreePool pool = await ReadyAsync();
        SlotLease lease = await pool.ClaimAsync(new ClaimRequest { Key = "MC-0" }, Token);
        using (System.Diagnostics.Process holder = await StopInSlotAsync())
        {
            (await EndsInTimeAsync<ReleaseIncompleteException>(() => lease.ReleaseAsync(cancellationToken: Token).AsTask()))
                .Message.Should().ContainAll($"process {holder.Id}", "slot-0", "since", "stopped", "the lease is still held");
            await KillAsync(holder);
        }

        await lease.DisposeAsync();
        using (System.Diagnostics.Process holder = await StopInSlotAsync())
        {
            (await EndsInTimeAsync<SlotUnavailableException>(() => pool.ClaimAsync(new ClaimRequest { Key = "MC-1" }, Token).AsTask())).Message.Should().ContainAll($"process {holder.Id}", "since", "stopped");
            (await pool.TryClaimAsync(new ClaimRequest { Key = "MC-1" }, Token)).Refusal!.Message.Should().ContainAll($"process {holder.Id}", "since", "stopped", $"kill -CONT {holder.Id}");
            System.Text.Json.JsonElement stopped = (await _sandbox.JsonAsync("status")).Json.GetProperty("slots")[0].GetProperty("stopped");
            stopped.GetProperty("pid").GetInt32().Should().Be(holder.Id);
            stopped.GetProperty("since").GetDateTimeOffset().Should().BeCloseTo(holder.StartTime, TimeSpan.FromMinutes(1));
            (await _sandbox.RunAsync("status")).Output.Should().Contain($"process {holder.Id}");
            (int unwell, System.Text.Json.JsonElement doctor) = await _sandbox.JsonAsync("doctor");
            unwell.Should().Be(1);
            doctor.GetProperty("slots")[0].GetProperty("findings")[0].GetProperty("id").GetString().Should().Be("slot-locked");
            await KillAsync(holder);
        }

        await using SlotLease next = await pool.ClaimAsync(new ClaimRequest { Key = "MC-1" }, Token);
        (await _sandbox.JsonAsync("status")).Json.GetProperty("slots")[0].GetProperty("stopped").ValueKind.Should().Be(System.Text.Json.JsonValueKind.Null);
    }

    [Fact]
    public async Task With_a_file_of_the_state_that_never_answers()
    {
        IWorktreePool pool = await ReadyAsync();
        SlotLease lease = await pool.ClaimAsync(new ClaimRequest { Key = "MC-0" }, Token);
        string file = Path.Combine(_sandbox.PoolDirectory, "state", "pool-record.json");
        byte[] content = await File.ReadAllBytesAsync(file, Token);

        // To open a pipe that nobody writes to is a call that hangs: as on a disk that is gone.
        File.Delete(file);
        using (var make = System.Diagnostics.Process.Start("mkfifo", [file]))
        {
            await make.WaitForExitAsync(Token);
        }

        try
        {
            (await EndsInTimeAsync<SlotUnavailableException>(() => pool.ClaimAsync(new ClaimRequest { Key = "MC-1" }, Token).AsTask())).Message.Should().Contain("has not come back");
            (await EndsInTimeAsync<ReleaseIncompleteException>(() => lease.ReleaseAsync(cancellationToken: Token).AsTask())).HasBegun.Should().BeFalse();
            (int code, _, string error) = await _sandbox.RunAsync("claim", "--key", "MC-2", "--wait", "1s");
            code.Should().Be(75, error);
        }
        finally
        {
            // Who waits at the pipe is let go, and finds something that is no record.
            await File.WriteAllTextAsync(file + ".whole", "", Token);
            await using (var open = new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0))
            {
                await File.WriteAllBytesAsync(file + ".whole", content, Token);
                File.Move(file + ".whole", file, overwrite: true);
            }
        }

        await lease.DisposeAsync();
        await using SlotLease next = await pool.ClaimAsync(new ClaimRequest { Key = "MC-1" }, Token);
        next.Slot.Should().Be("slot-0");
    }

    [Fact]
    public async Task With_a_filter_that_never_ends()
    {
        string gate = Path.Combine(_sandbox.Root, "gate");
        string seed = Path.Combine(_sandbox.Root, "seed");
        await File.WriteAllTextAsync(Path.Combine(seed, "model.bin"), "weights\n", Token);
        await File.WriteAllTextAsync(Path.Combine(seed, ".gitattributes"), "*.bin filter=slow\n", Token);
        Sandbox.Git(seed, "add", "-A");
        Sandbox.Git(seed, "commit", "-q", "-m", "model");
        Sandbox.Git(seed, "push", "-q", Path.Combine(_sandbox.Root, "origin.git"), "main");
        Sandbox.Git(_sandbox.Repository, "config", "filter.slow.smudge", $"if [ -e '{gate}' ]; then sleep 987654; fi; cat");
        Sandbox.Git(_sandbox.Repository, "config", "filter.slow.clean", "cat");
        Sandbox.Git(_sandbox.Repository, "pull", "-q");
        IWorktreePool pool = await ReadyAsync();
        string file = Path.Combine(_sandbox.Slot(0), "model.bin");
        File.Delete(file);
        await File.WriteAllTextAsync(gate, "", Token);

        await EndsInTimeAsync<SlotUnavailableException>(() => pool.ClaimAsync(new ClaimRequest { Key = "MC-1" }, Token).AsTask());

        await GoneAsync("987654");
        File.Delete(gate);
        SlotLease next = await pool.ClaimAsync(new ClaimRequest { Key = "MC-1" }, Token);
        File.Exists(file).Should().BeTrue();

        File.Delete(file);
        await File.WriteAllTextAsync(gate, "", Token);

        (await EndsInTimeAsync<ReleaseIncompleteException>(() => next.ReleaseAsync(cancellationToken: Token).AsTask())).HasBegun.Should().BeTrue("the lease has ended");

        await GoneAsync("987654");
        File.Delete(gate);
        await using SlotLease last = await pool.ClaimAsync(new ClaimRequest { Key = "MC-2" }, Token);
        File.Exists(file).Should().BeTrue();
    }

    [Fact]
    public async Task With_a_remote_that_accepts_and_never_answers()
    {
        using var remote = new TcpListener(IPAddress.Loopback, 0);
        remote.Start();
        Sandbox.Git(_sandbox.Repository, "config", "remote.origin.url", $"git://127.0.0.1:{((IPEndPoint)remote.LocalEndpoint).Port}/app.git");
        IWorktreePool pool = await ReadyAsync();
        string real = _sandbox.Base;
        Sandbox.Git(_sandbox.Repository, "commit", "-q", "--allow-empty", "-m", "planted");
        Sandbox.Git(_sandbox.Repository, "update-ref", "refs/remotes/origin/main", "HEAD");
        SlotLease? lease = null;

        await EndsInTimeAsync(async () => lease = await pool.ClaimAsync(new ClaimRequest { Key = "MC-1" }, Token));

        await GoneAsync($":{((IPEndPoint)remote.LocalEndpoint).Port}/");
        lease!.Commit.Should().Be(real, "the remote could not be asked, and a worker is not believed");
        ReleaseReport? report = null;

        await EndsInTimeAsync(async () => report = await lease.ReleaseAsync(cancellationToken: Token));

        await GoneAsync($":{((IPEndPoint)remote.LocalEndpoint).Port}/");
        report!.Commit.Should().Be(real);
        remote.Pending().Should().BeTrue("it was asked");
    }

    [Fact]
    public async Task With_hooks_that_never_end()
    {
        IWorktreePool pool = await ReadyAsync();
        foreach (string hook in new[] { "post-checkout", "reference-transaction", "post-index-change", "pre-auto-gc" })
        {
            string path = Path.Combine(_sandbox.Repository, ".git", "hooks", hook);
            await File.WriteAllTextAsync(path, "#!/bin/sh\nsleep 987655\n", Token);
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(path, (UnixFileMode)0x1ED);
            }
        }

        SlotLease? lease = null;
        await EndsInTimeAsync(async () => lease = await pool.ClaimAsync(new ClaimRequest { Key = "MC-1", Branch = "cr/mc-1" }, Token));
        await EndsInTimeAsync(async () => await lease!.ReleaseAsync(cancellationToken: Token));
        Running("987655").Should().BeEmpty();
    }

    private const int Stop = 19;

    private async Task<IWorktreePool> ReadyAsync(int slots = 1)
    {
        await _sandbox.InitAsync(slots);
        IWorktreePool pool = _sandbox.Pool(options => (options.Slots, options.ClaimTimeout, options.ReleaseTimeout) = (slots, Limit, Limit));
        await pool.MaintainAsync(Token);
        return pool;
    }

    /// <summary>It fails, and neither before its time is over nor long after.</summary>
    private async Task<T> EndsInTimeAsync<T>(Func<Task> act) where T : Exception
    {
        long start = Stopwatch.GetTimestamp();
        T? thrown = null;
        await EndsInTimeAsync(async () => thrown = (await act.Should().ThrowAsync<T>()).Which);
        Stopwatch.GetElapsedTime(start).Should().BeGreaterThan(Limit * 0.9);
        return thrown!;
    }

    /// <summary>It ends by its deadline and 250 ms, besides what the machine withheld after the deadline.</summary>
    private async Task EndsInTimeAsync(Func<Task> act)
    {
        long deadline = Stopwatch.GetTimestamp() + (long)(Limit.TotalSeconds * Stopwatch.Frequency);
        await act();
        TimeSpan late = Stopwatch.GetElapsedTime(deadline), withheld = _lateness.Since(deadline);
        output.WriteLine($"{late.TotalMilliseconds:0} ms after its deadline, of which the machine withheld {withheld.TotalMilliseconds:0} ms");
        late.Should().BeLessThan(TimeSpan.FromMilliseconds(250) + withheld);
    }

    /// <summary>A process that has the slot's working lock, and was stopped.</summary>
    private async Task<System.Diagnostics.Process> StopInSlotAsync()
    {
        System.Diagnostics.Process holder = Start("hold-slot", _sandbox.PoolDirectory, "slot-0");
        (await holder.StandardOutput.ReadLineAsync(Token)).Should().Be("held");
        Signal.Send(holder, Stop);
        return holder;
    }

    private static async Task KillAsync(System.Diagnostics.Process process)
    {
        process.Kill();
        await process.WaitForExitAsync(Token);
    }

    /// <summary>The state of a process by proc(5), field 3.</summary>
    private static char State(int pid) => File.ReadAllText($"/proc/{pid}/stat") is var stat ? stat[stat.LastIndexOf(')') + 2] : ' ';

    private static System.Diagnostics.Process Start(params string[] arguments) => System.Diagnostics.Process.Start(
        new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "WorktreePool.TestHelper.dll"), .. arguments]) { RedirectStandardOutput = true, RedirectStandardInput = true })!;

    /// <summary>Git's whole process tree is ended: on a busy machine a moment after the answer.</summary>
    private static async Task GoneAsync(string word)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(TimeSpan.FromSeconds(10));
        while (Running(word).Count > 0)
        {
            await timer.WaitForNextTickAsync(patience.Token);
        }
    }

    /// <summary>Processes with this word in their command line.</summary>
    private static List<string> Running(string word) =>
        [.. Directory.EnumerateDirectories("/proc").Where(directory => char.IsAsciiDigit(Path.GetFileName(directory)[0])).Select(CommandLine).Where(line => line.Contains(word, StringComparison.Ordinal))];

    private static string CommandLine(string directory)
    {
        try
        {
            return File.ReadAllText(Path.Combine(directory, "cmdline"));
        }
        catch (IOException)
        {
            // It ended while we looked.
            return "";
        }
    }
}
