using System.Text;
using System.Text.RegularExpressions;

namespace WorktreePool.FileState.Tests;

/// <summary>A store that is told which files are touched sees every one of them, and its journals are always those of the last two versions.</summary>
public sealed class TouchedFilesTests : IDisposable
{
    private readonly PoolDirectory _pool = new();

    /// <summary>What somebody does with the file of slot-0, given its path and the bytes that it shall have.</summary>
    public static TheoryData<string> Touches => ["rewritten", "replaced", "moved away and back", "removed and made", "after a flood"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Touches))]
    public async Task A_file_that_somebody_touches_is_read_again(string touch)
    {
        await using FileSlotStateStore store = await OpenWatchingAsync();
        await store.CompareAndSetAsync(0, Record("slot-0"), Token);
        await store.CompareAndSetAsync(0, Record("slot-1"), Token);
        for (int change = 0; change < 3; change++)
        {
            string text = await File.ReadAllTextAsync(_pool.File("slot-0.json"), Token);
            (await store.ReadAsync(Token)).Slots[0].Path.Should().Be($"/pool/slots/slot-0{new string('x', change)}", "it is read, and remembered");
            string next = Later(text, change + 1, "/pool/slots/slot-0", "/pool/slots/slot-0x");

            await TouchAsync(touch, _pool.File("slot-0.json"), next);

            (await store.ReadAsync(Token)).Slots[0].Path.Should().Be($"/pool/slots/slot-0{new string('x', change + 1)}");
        }
    }

    [Fact]
    public async Task A_file_that_was_written_to_and_is_not_yet_closed_is_read_again()
    {
        await using FileSlotStateStore reader = await OpenWatchingAsync();
        await using FileSlotStateStore other = _pool.Open();
        await reader.CompareAndSetAsync(0, Record("slot-0"), Token);
        await other.CompareAndSetAsync(0, Record("slot-1"), Token);
        await reader.ReadAsync(Token);
        string text = await File.ReadAllTextAsync(_pool.File("slot-0.json"), Token);

        // A writer's file is open for longer than its write when a thread of it has just begun a process, which has the file too until it runs its own program.
        await using var open = new FileStream(_pool.File("slot-0.json"), FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        await open.WriteAsync(Encoding.UTF8.GetBytes(Later(text, 1, "/pool/slots/slot-0", "/pool/slots/slot-x")), Token);
        await open.FlushAsync(Token);
        await other.CompareAndSetAsync(1, Record("slot-1"), Token);

        IReadOnlyList<SlotRecord> slots = (await reader.ReadAsync(Token)).Slots;
        slots.Select(slot => slot.Version).Should().Equal(2, 2);
        slots[0].Path.Should().Be("/pool/slots/slot-x");
        (await reader.CompareAndSetAsync(1, Record("slot-0"), Token)).Outcome.Should().Be(StoreOutcome.Conflict);
    }

    [Fact]
    public async Task What_is_touched_before_touches_are_told_is_read_again()
    {
        await using FileSlotStateStore store = _pool.Open();
        await store.CompareAndSetAsync(0, Record("slot-0"), Token);
        string text = await File.ReadAllTextAsync(_pool.File("slot-0.json"), Token);
        string stamp = (await store.ReadAsync(Token)).Stamp;
        await store.ReadAsync(Token);

        await File.WriteAllTextAsync(_pool.File("slot-0.json"), Later(text, 1, "/pool/slots/slot-0", "/elsewhere"), Token);
        using var cancelled = new CancellationTokenSource();
        Task wait = store.WaitForChangeAsync(stamp, cancelled.Token).AsTask();

        (await store.ReadAsync(Token)).Slots[0].Path.Should().Be("/elsewhere");
        await cancelled.CancelAsync();
        await wait.Awaiting(w => w).Should().ThrowAsync<OperationCanceledException>();
    }

    [Fact]
    public async Task What_cannot_be_read_is_told_each_time()
    {
        await using FileSlotStateStore store = await OpenWatchingAsync();
        await store.CompareAndSetAsync(0, Record("slot-0"), Token);
        await store.ReadAsync(Token);

        File.Delete(_pool.File("slot-0.json"));
        Directory.CreateDirectory(_pool.File("slot-0.json"));

        for (int read = 0; read < 3; read++)
        {
            await store.Awaiting(s => s.ReadAsync(Token).AsTask()).Should().ThrowAsync<StateStoreException>();
        }
    }

    [Fact]
    public async Task What_a_newer_version_wrote_meanwhile_stops_every_change()
    {
        await using FileSlotStateStore store = await OpenWatchingAsync();
        await store.CompareAndSetAsync(0, Record("slot-0"), Token);
        await store.CompareAndSetAsync(0, Record("slot-1"), Token);
        await store.ReadAsync(Token);
        string text = await File.ReadAllTextAsync(_pool.File("slot-0.json"), Token);
        await File.WriteAllTextAsync(_pool.File("slot-0.json"), text.Replace("\"schema\": 1", "\"schema\": 2", StringComparison.Ordinal), Token);

        await store.Awaiting(s => s.ReadAsync(Token).AsTask()).Should().ThrowAsync<StateStoreException>();

        IReadOnlyList<string> before = _pool.Content();
        await store.Awaiting(s => s.CompareAndSetAsync(1, Record("slot-1"), Token).AsTask()).Should().ThrowAsync<StateStoreException>();
        _pool.Content().Should().Equal(before);
    }

    [Fact]
    public async Task A_directory_that_was_replaced_is_read_again()
    {
        await using FileSlotStateStore store = await OpenWatchingAsync();
        await store.CompareAndSetAsync(0, Record("slot-0"), Token);
        string text = await File.ReadAllTextAsync(_pool.File("slot-0.json"), Token);
        await store.ReadAsync(Token);

        Directory.Move(_pool.State, _pool.State + "-before");
        Directory.CreateDirectory(_pool.State);
        File.Copy(Path.Combine(_pool.State + "-before", "store.lock"), _pool.File("store.lock"));
        await File.WriteAllTextAsync(_pool.File("slot-0.json"), Later(text, 1, "/pool/slots/slot-0", "/elsewhere"), Token);

        (await store.ReadAsync(Token)).Slots[0].Path.Should().Be("/elsewhere");
        (await store.ReadAsync(Token)).Slots[0].Path.Should().Be("/elsewhere", "once more, from memory");
    }

    [Fact]
    public async Task A_journal_has_the_last_two_versions_whoever_wrote_them()
    {
        await using FileSlotStateStore one = _pool.Open();
        await using FileSlotStateStore other = _pool.Open();
        await one.CompareAndSetAsync(0, Record("slot-0"), Token);
        FileSlotStateStore[] writers = [one, one, other, one, one, other, other, other, one];
        for (int version = 1; version <= writers.Length; version++)
        {
            if (version % 2 == 0)
            {
                // Sees the other's version without a lock, and so without its journal.
                await one.ReadAsync(Token);
            }

            (await writers[version - 1].CompareAndSetAsync(version, Record("slot-0"), Token)).Outcome.Should().Be(StoreOutcome.Applied);

            byte[] journal = await File.ReadAllBytesAsync(_pool.JournalOf("slot-0.json"), Token);
            string[] halves = [.. journal.Chunk(journal.Length / 2).Select(Encoding.UTF8.GetString)];
            halves.Should().ContainSingle(half => half.Contains($"\"version\": {version + 1},", StringComparison.Ordinal), "it is durable");
            halves.Should().ContainSingle(half => half.Contains($"\"version\": {version},", StringComparison.Ordinal), "and the one before, should the write have been cut off");
        }
    }

    [Fact]
    public async Task A_journal_that_was_restored_is_read_by_whoever_wrote_it_before()
    {
        await using FileSlotStateStore one = await OpenWatchingAsync();
        await one.CompareAndSetAsync(0, Record("slot-0"), Token);
        await one.CompareAndSetAsync(1, Record("slot-0"), Token);
        File.Delete(_pool.JournalOf("slot-0.json"));
        await using FileSlotStateStore other = _pool.Open();
        (await other.CompareAndSetAsync(0, Record("slot-1"), Token)).Applied.Should().BeTrue("it restores the journal first");

        (await one.CompareAndSetAsync(2, Record("slot-0"), Token)).Applied.Should().BeTrue();

        byte[] journal = await File.ReadAllBytesAsync(_pool.JournalOf("slot-0.json"), Token);
        string[] halves = [.. journal.Chunk(journal.Length / 2).Select(Encoding.UTF8.GetString)];
        halves.Should().ContainSingle(half => half.Contains("\"version\": 3,", StringComparison.Ordinal)).And.ContainSingle(half => half.Contains("\"version\": 2,", StringComparison.Ordinal));
    }

    [Fact]
    public async Task While_a_writer_is_at_work_a_read_does_not_wait_and_after_its_death_its_journal_counts()
    {
        await using FileSlotStateStore reader = await OpenWatchingAsync();
        await using FileSlotStateStore other = _pool.Open();
        await reader.CompareAndSetAsync(0, Record("slot-0"), Token);
        await other.CompareAndSetAsync(1, Record("slot-0"), Token);
        byte[] before = await File.ReadAllBytesAsync(_pool.File("slot-0.json"), Token);
        await other.CompareAndSetAsync(2, Record("slot-0"), Token);
        (await reader.ReadAsync(Token)).Slots[0].Version.Should().Be(3);

        // A writer in its midst: the journal is written, the file is not yet in place.
        long number = BitConverter.ToInt64(await File.ReadAllBytesAsync(_pool.File("store.lock"), Token));
        FileLock writer = FileLock.TryTake(_pool.File("store.lock"))!;
        RandomAccess.Write(writer.File, BitConverter.GetBytes(number + 1), 0);
        await File.WriteAllBytesAsync(_pool.File("slot-0.json.new"), before, Token);
        File.Move(_pool.File("slot-0.json.new"), _pool.File("slot-0.json"), overwrite: true);

        (await reader.ReadAsync(Token)).Slots[0].Version.Should().BeInRange(2, 3, "a change that is not over may be seen or not");
        writer.Dispose();
        (await reader.ReadAsync(Token)).Slots[0].Version.Should().Be(3, "its lock is free, so nobody will end it, and its journal has the later version");
        (await reader.CompareAndSetAsync(3, Record("slot-0"), Token)).Applied.Should().BeTrue();
    }

    [Fact]
    public async Task A_file_that_is_written_in_this_moment_is_not_read()
    {
        await using FileSlotStateStore reader = await OpenWatchingAsync();
        await using FileSlotStateStore other = _pool.Open();
        SlotRecord first = Record("slot-0") with { Path = "/" + new string('p', 600) };
        await other.CompareAndSetAsync(0, first, Token);
        byte[] old = await File.ReadAllBytesAsync(_pool.File("slot-0.json"), Token);
        SlotRecord stored = (await other.CompareAndSetAsync(1, first with { WorkSaved = true, Epoch = 9 }, Token)).Stored!;
        byte[] next = await File.ReadAllBytesAsync(_pool.File("slot-0.json"), Token);

        // A writer in its midst: its file has the beginning of one version and the end of the other, and can be read all the same.
        long number = BitConverter.ToInt64(await File.ReadAllBytesAsync(_pool.File("store.lock"), Token));
        using FileLock writer = FileLock.TryTake(_pool.File("store.lock"))!;
        RandomAccess.Write(writer.File, BitConverter.GetBytes(number + 1), 0);
        old.AsSpan(512).CopyTo(next.AsSpan(512));
        await File.WriteAllBytesAsync(_pool.File("slot-0.json"), next, Token);

        (await reader.ReadAsync(Token)).Slots.Should().Equal(stored);
        (await _pool.Open().ReadAsync(Token)).Slots.Should().Equal([stored], "one that has read nothing yet sees the same");
    }

    [Fact]
    public async Task Whoever_reads_while_others_write_reads_whole_records_in_order()
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Token);
        await using FileSlotStateStore reader = await OpenWatchingAsync();
        await reader.CompareAndSetAsync(0, Record("slot-0"), Token);
        Task[] writers = [.. Enumerable.Range(1, 3).Select(slot => Task.Run(() => WriteAsync($"slot-{slot}"), Token))];

        await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(ReadAsync, Token)));

        await end.CancelAsync();
        await Task.WhenAll(writers);

        static int LengthOf(long version) => version % 2 == 0 ? 20 : 3000;

        async Task ReadAsync()
        {
            Dictionary<string, long> seen = [];
            for (int read = 0; read < 2000 || seen.Count < 4 || seen.Where(slot => slot.Key != "slot-0").Any(slot => slot.Value < 100); read++)
            {
                foreach (SlotRecord record in (await reader.ReadAsync(Token)).Slots)
                {
                    record.Path.Length.Should().Be(record.Slot == "slot-0" ? "/pool/slots/slot-0".Length : LengthOf(record.Version), "bytes of two versions are never mixed");
                    record.Version.Should().BeGreaterThanOrEqualTo(seen.GetValueOrDefault(record.Slot));
                    seen[record.Slot] = record.Version;
                }
            }
        }

        async Task WriteAsync(string slot)
        {
            // A store of its own, as in another process.
            await using FileSlotStateStore store = _pool.Open();
            for (long version = 1; !end.IsCancellationRequested; version++)
            {
                await store.CompareAndSetAsync(version - 1, Record(slot) with { Path = new string('/', LengthOf(version)) }, Token);
            }
        }
    }

    public void Dispose() => _pool.Dispose();

    /// <summary>The text of a record's next version, as by hand: of one version the journal counts, and a check would not fit.</summary>
    private static string Later(string text, int version, string path, string next) => Regex.Replace(
        text.Replace($"\"version\": {version},", $"\"version\": {version + 1},", StringComparison.Ordinal).Replace(path, next, StringComparison.Ordinal), ",\n  \"check\": \"[0-9a-f]{16}\"", "");

    private static async Task TouchAsync(string touch, string file, string text)
    {
        switch (touch)
        {
            case "replaced":
                await File.WriteAllTextAsync(file + ".new", text, Token);
                File.Move(file + ".new", file, overwrite: true);
                return;
            case "moved away and back":
                File.Move(file, file + ".away");
                await File.WriteAllTextAsync(file + ".away", text, Token);
                File.Move(file + ".away", file);
                return;
            case "removed and made":
                File.Delete(file);
                break;
            case "after a flood":
                // More than the kernel remembers (fs.inotify.max_queued_events is 16,384): then it tells only that something is lost.
                for (int look = 0; look < 9_000; look++)
                {
                    foreach (string name in (string[])["flood-a", "flood-b"])
                    {
                        using FileStream opened = File.OpenWrite(Path.Combine(Path.GetDirectoryName(file)!, name));
                    }
                }

                break;
        }

        await File.WriteAllTextAsync(file, text, Token);
    }

    /// <summary>One that is told: it is from the first wait on.</summary>
    private async Task<FileSlotStateStore> OpenWatchingAsync()
    {
        FileSlotStateStore store = _pool.Open();
        await store.CompareAndSetPoolAsync(0, new PoolRecord(), Token);
        await store.WaitForChangeAsync("another stamp", Token);
        return store;
    }

    private static SlotRecord Record(string slot) => new() { Slot = slot, Host = "host", Path = $"/pool/slots/{slot}" };
}
