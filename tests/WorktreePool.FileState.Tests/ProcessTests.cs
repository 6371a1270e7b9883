using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Time.Testing;

namespace WorktreePool.FileState.Tests;

/// <summary>Several real processes over one directory, and what is left when one is killed.</summary>
public sealed class ProcessTests : IDisposable
{
    private readonly PoolDirectory _pool = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_slots_lock_dies_with_its_process()
    {
        using var holder = HelperProcess.Start("hold-slot", _pool.Pool, "slot-0");
        (await holder.ReadLineAsync()).Should().Be("held");
        await using FileSlotStateStore store = _pool.Open();
        (await store.TryLockSlotAsync("slot-0", Token)).Should().BeNull();
        await using (IAsyncDisposable? other = await store.TryLockSlotAsync("slot-1", Token))
        {
            other.Should().NotBeNull();
        }

        await holder.KillAsync();
        await using IAsyncDisposable? held = await store.TryLockSlotAsync("slot-0", Token);
        held.Should().NotBeNull();
        using var late = HelperProcess.Start("hold-slot", _pool.Pool, "slot-0");
        (await late.ReadLineAsync()).Should().Be("busy");
    }

    [Fact]
    public async Task A_slots_lock_that_processes_wait_for_is_the_next_one_s_when_its_holder_is_killed()
    {
        HelperProcess holder = HelperProcess.Start("hold-slot", _pool.Pool, "slot-0");
        (await holder.ReadLineAsync()).Should().Be("held");
        List<HelperProcess> waiting = [.. Enumerable.Range(0, 3).Select(_ => HelperProcess.Start("wait-for-slot", _pool.Pool, "slot-0"))];
        List<HelperProcess> all = [holder, .. waiting];
        try
        {
            foreach (HelperProcess process in waiting)
            {
                (await process.ReadLineAsync()).Should().Be("waits");
            }

            // One that gives up in line leaves it to those behind.
            await waiting[0].KillAsync();
            List<(HelperProcess Process, Task<string?> Line)> left = [.. waiting[1..].Select(process => (process, process.ReadLineAsync()))];
            while (left.Count > 0)
            {
                left.Should().OnlyContain(one => !one.Line.IsCompleted, "{0} holds it", holder.Id);
                await holder.KillAsync();
                await Task.WhenAny(left.Select(one => one.Line));
                (HelperProcess Process, Task<string?> Line) next = left.Single(one => one.Line.IsCompleted);
                (await next.Line).Should().Be("held");
                left.Remove(next);
                holder = next.Process;
            }
        }
        finally
        {
            all.ForEach(process => process.Dispose());
        }
    }

    [Fact]
    public async Task A_slots_lock_is_not_kept_by_children_of_its_process()
    {
        using var holder = HelperProcess.Start("hold-slot-with-child", _pool.Pool, "slot-0");
        string line = (await holder.ReadLineAsync())!;
        using var child = Process.GetProcessById(int.Parse(line, CultureInfo.InvariantCulture));
        try
        {
            await holder.KillAsync();
            child.HasExited.Should().BeFalse();
            await using FileSlotStateStore store = _pool.Open();
            await using IAsyncDisposable? held = await store.TryLockSlotAsync("slot-0", Token);
            held.Should().NotBeNull();
        }
        finally
        {
            child.Kill();
        }
    }

    [Fact]
    public async Task Processes_lose_no_change_of_each_other()
    {
        const int Processes = 4;
        const int Each = 50;
        List<HelperProcess> counters = [.. Enumerable.Range(0, Processes).Select(_ => HelperProcess.Start("count", _pool.Pool, "slot-0", $"{Each}"))];
        try
        {
            (int ExitCode, string Output)[] ends = await Task.WhenAll(counters.Select(counter => counter.EndAsync()));
            ends.Should().OnlyContain(end => end.ExitCode == 0);
            string[] numbers = [.. ends.SelectMany(end => end.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))];
            numbers.Should().OnlyHaveUniqueItems().And.HaveCount(Processes * Each);

            await using FileSlotStateStore store = _pool.Open();
            SlotRecord record = (await store.ReadAsync(Token)).Slots.Should().ContainSingle().Subject;
            record.Epoch.Should().Be(Processes * Each);
            record.Version.Should().Be(Processes * Each);
            (await store.ReadHistoryAsync(new HistoryQuery(Limit: 1000), Token)).Select(entry => entry.Epoch)
                .Should().BeEquivalentTo(Enumerable.Range(1, Processes * Each).Select(i => (long)i));
        }
        finally
        {
            counters.ForEach(counter => counter.Dispose());
        }
    }

    [Fact]
    public async Task A_writer_killed_anywhere_leaves_a_state_that_works()
    {
        await using FileSlotStateStore store = _pool.Open();
        long reached = 0;
        for (int round = 0; round < 8; round++)
        {
            using var writer = HelperProcess.Start("count", _pool.Pool, "slot-0", "1000000");
            for (int i = 0; i <= round; i++)
            {
                reached = long.Parse((await writer.ReadLineAsync())!, CultureInfo.InvariantCulture);
            }

            await writer.KillAsync();
            SlotRecord left = (await store.ReadAsync(Token)).Slots.Should().ContainSingle().Subject;
            left.Epoch.Should().BeGreaterThanOrEqualTo(reached, "what a process was told is done stays done");
            left.Version.Should().Be(left.Epoch);
            StoreResult next = await store.CompareAndSetAsync(left.Version, left with { Epoch = left.Epoch + 1 }, Token);
            next.Applied.Should().BeTrue();
            Directory.EnumerateFiles(_pool.State, "*.tmp").Should().BeEmpty();
            (await store.ReadHistoryAsync(new HistoryQuery(Limit: 1), Token)).Single().Epoch.Should().BeGreaterThanOrEqualTo(reached);
        }
    }

    [Fact]
    public async Task What_a_killed_writer_left_is_never_read_and_soon_gone()
    {
        await using FileSlotStateStore store = _pool.Open();
        SlotRecord stored = (await store.CompareAndSetAsync(0, Record("slot-0"), Token)).Stored!;
        await File.WriteAllTextAsync(_pool.File("slot-0.json.tmp"), "{\"schema\": 1, \"sl", Token);
        await File.WriteAllTextAsync(_pool.File("slot-9.json.tmp"), "", Token);
        await File.WriteAllTextAsync(_pool.File("slot-0.json.spare"), new string('x', 10_000), Token);
        (await store.ReadAsync(Token)).Slots.Should().Equal(stored);
        (await _pool.Open().CompareAndSetAsync(9, stored, Token)).Outcome.Should().Be(StoreOutcome.Conflict);
        Directory.EnumerateFiles(_pool.State, "*.tmp").Should().BeEmpty();
        Directory.EnumerateFiles(_pool.State, "*.spare").Should().BeEmpty("former versions wrote into it");
        (await store.ReadAsync(Token)).Slots.Should().Equal(stored);

        stored = (await store.CompareAndSetAsync(1, stored, Token)).Stored!;
        (await File.ReadAllTextAsync(_pool.File("slot-0.json"), Token)).Should().NotContain("x");
        (await _pool.Open().ReadAsync(Token)).Slots.Should().Equal(stored);
    }

    [Fact]
    public async Task A_store_lock_that_is_never_given_back_is_an_error_in_the_end()
    {
        Directory.CreateDirectory(_pool.State);
        using var hog = new FileStream(_pool.File("store.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        var time = new FakeTimeProvider();
        await using FileSlotStateStore store = _pool.Open(time);
        (await store.ReadAsync(Token)).Slots.Should().BeEmpty("a reader needs no lock");
        Task first = store.CompareAndSetAsync(0, Record("slot-0"), Token).AsTask();
        Task second = store.CompareAndSetAsync(0, Record("slot-1"), Token).AsTask();
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Token);
        Task third = store.CompareAndSetAsync(0, Record("slot-2"), cancel.Token).AsTask();

        await cancel.CancelAsync();
        await third.Awaiting(t => t).Should().ThrowAsync<OperationCanceledException>();
        first.IsCompleted.Should().BeFalse();
        time.Advance(TimeSpan.FromSeconds(31));
        (await first.Awaiting(t => t).Should().ThrowAsync<StateStoreException>()).Which.Message.Should().Contain("store.lock").And.Contain("Nothing was changed");
        await second.Awaiting(t => t).Should().ThrowAsync<StateStoreException>();

        await hog.DisposeAsync();
        (await store.CompareAndSetAsync(0, Record("slot-0"), Token)).Applied.Should().BeTrue("it works again without a restart");
    }

    [Fact]
    public async Task A_full_disk_is_told_and_changes_nothing()
    {
        await using FileSlotStateStore store = _pool.Open();
        await store.CompareAndSetAsync(0, Record("slot-0"), Token);
        IReadOnlyList<string> before = _pool.Content();

        // No file may grow: as on a full disk, but without needing one. (The runtime's own double mapping needs a large file.)
        using var writer = HelperProcess.StartInShell("trap '' XFSZ; export DOTNET_EnableWriteXorExecute=0 DOTNET_EnableDiagnostics=0; ulimit -f 0; exec \"$@\"", "write", _pool.Pool, "slot-1");
        (int exitCode, string output) = await writer.EndAsync();
        exitCode.Should().Be(3, output);
        output.Should().Contain("could not be changed").And.Contain("It is as it was");
        _pool.Content().Should().Equal(before);
    }

    [Fact]
    public async Task A_setting_that_turns_the_runtimes_locks_off_lets_nobody_past_a_lock()
    {
        Directory.CreateDirectory(_pool.State);
        using FileLock held = FileLock.TryTake(_pool.File("store.lock"))!;
        using var writer = HelperProcess.StartInShell("export DOTNET_SYSTEM_IO_DISABLEFILELOCKING=1; exec \"$@\"", "write", _pool.Pool, "slot-0");
        string waiting = $"-> FLOCK  ADVISORY  WRITE {writer.Id} ";
        while (!(await File.ReadAllTextAsync("/proc/locks", Token)).Contains(waiting, StringComparison.Ordinal))
        {
            await Task.Delay(10, Token);
        }

        Directory.EnumerateFiles(_pool.State, "*.json").Should().BeEmpty("it waits");
        held.Dispose();

        (int exitCode, string output) = await writer.EndAsync();
        exitCode.Should().Be(0, output);
        File.Exists(_pool.File("slot-0.json")).Should().BeTrue();
    }

    [Fact]
    public async Task A_place_in_the_line_that_was_left_keeps_the_lock_from_nobody()
    {
        await using FileSlotStateStore store = _pool.Open();
        await using FileSlotStateStore other = _pool.Open();
        await store.CompareAndSetAsync(0, Record("slot-0"), Token);
        for (int round = 1; round <= 20; round++)
        {
            FileLock held = await TakeStoreLockAsync();
            using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Token);
            Task given = store.CompareAndSetAsync(round, Record("slot-0"), cancel.Token).AsTask();
            await cancel.CancelAsync();
            await given.Awaiting(t => t).Should().ThrowAsync<OperationCanceledException>();
            Task<StoreResult>? next = round % 2 == 0 ? store.CompareAndSetAsync(round, Record("slot-0"), Token).AsTask() : null;
            held.Dispose();

            next ??= other.CompareAndSetAsync(round, Record("slot-0"), Token).AsTask();
            (await next.WaitAsync(TimeSpan.FromSeconds(30), Token)).Outcome.Should().Be(StoreOutcome.Applied);
        }
    }

    [Fact]
    public async Task A_directory_that_cannot_be_written_is_told()
    {
        await using FileSlotStateStore store = _pool.Open();
        SlotRecord stored = (await store.CompareAndSetAsync(0, Record("slot-0"), Token)).Stored!;

        // A place that even root cannot write.
        Directory.CreateDirectory(_pool.JournalOf("slot-1.json") + ".tmp");
        (await store.Awaiting(s => s.CompareAndSetAsync(0, Record("slot-1"), Token).AsTask()).Should().ThrowAsync<StateStoreException>())
            .Which.Message.Should().Contain(_pool.State).And.Contain("It is as it was");
        (await store.ReadAsync(Token)).Slots.Should().Equal(stored);
    }

    public void Dispose() => _pool.Dispose();

    /// <summary>A place that was left before may have the lock for a moment yet.</summary>
    private async Task<FileLock> TakeStoreLockAsync()
    {
        while (true)
        {
            Token.ThrowIfCancellationRequested();
            if (FileLock.TryTake(_pool.File("store.lock")) is { } held)
            {
                return held;
            }

            await Task.Yield();
        }
    }

    private static SlotRecord Record(string slot) => new() { Slot = slot, Host = "h", Path = "/p" };
}
