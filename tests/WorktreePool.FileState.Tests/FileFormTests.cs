using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;

namespace WorktreePool.FileState.Tests;

/// <summary>What lies on disk: people read it, and other versions will.</summary>
public sealed class FileFormTests : IDisposable
{
    private static readonly DateTimeOffset Time = new(2026, 6, 3, 23, 0, 0, TimeSpan.FromHours(2));

    private readonly PoolDirectory _pool = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_record_is_readable()
    {
        await using FileSlotStateStore store = _pool.Open();
        await store.CompareAndSetAsync(
            0,
            new SlotRecord
            {
                Slot = "slot-3",
                Host = "build-1",
                Path = "/pool/slots/slot-3",
                State = SlotState.Cleaning,
                Epoch = 4,
                Lease = new LeaseRecord
                {
                    Key = "MC-ü's <1> & 🧪",
                    TokenHash = "ab",
                    Owner = LeaseOwner.ForProcess(new ProcessIdentity("build-1", "boot", 12, 34)),
                    ClaimedAt = Time,
                    CheckedInAt = Time,
                    Releasing = ReleaseMode.Discard,
                    Metadata = new Dictionary<string, string> { ["Task"] = "x" },
                },
                UpdatedAt = Time,
            },
            Token);
        string text = await File.ReadAllTextAsync(_pool.File("slot-3.json"), Token);
        new FileInfo(_pool.File("slot-3.json")).Length.Should().Be(1024, "the next version fits into it");
        text = text.TrimEnd() + "\n";
        (string own, string check) = (text[..text.IndexOf(",\n  \"check\"", StringComparison.Ordinal)], text[text.IndexOf(",\n  \"check\"", StringComparison.Ordinal)..]);
        check.Should().Be($",\n  \"check\": \"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(own))[..8])}\"\n}}\n", "a file that is half of one version can be told");
        (own + "\n}\n").Replace("\\uD83E\\uDDEA", "🧪", StringComparison.Ordinal).Should().Be(
            """
            {
              "schema": 1,
              "slot": "slot-3",
              "host": "build-1",
              "path": "/pool/slots/slot-3",
              "state": "cleaning",
              "version": 1,
              "epoch": 4,
              "lease": {
                "key": "MC-ü's <1> & 🧪",
                "tokenHash": "ab",
                "owner": {
                  "process": {
                    "host": "build-1",
                    "bootId": "boot",
                    "pid": 12,
                    "startTime": 34
                  }
                },
                "claimedAt": "2026-06-03T21:00:00Z",
                "checkedInAt": "2026-06-03T21:00:00Z",
                "releasing": "discard",
                "metadata": {
                  "Task": "x"
                }
              },
              "workSaved": false,
              "updatedAt": "2026-06-03T21:00:00Z"
            }

            """);
    }

    [Fact]
    public async Task A_next_version_is_written_over_the_last_one_and_is_json_all_the_time()
    {
        await using FileSlotStateStore store = _pool.Open();
        await store.CompareAndSetAsync(0, Record("slot-0"), Token);
        using FileStream opened = File.Open(_pool.File("slot-0.json"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        int[] paths = [700, 20, 0, 800];
        for (int change = 0; change < paths.Length; change++)
        {
            string path = "/" + new string('p', paths[change]);
            await store.CompareAndSetAsync(change + 1, Record("slot-0") with { Path = path }, Token);

            opened.Position = 0;
            using JsonDocument document = await JsonDocument.ParseAsync(opened, cancellationToken: Token);
            document.RootElement.GetProperty("path").GetString().Should().Be(path, "whoever has the file open sees the last version");
            opened.Length.Should().Be(1024);
        }
    }

    [Theory]
    [InlineData(10_000, "it does not fit")]
    [InlineData(3, "nobody wants to read thousands of blanks")]
    public async Task A_version_of_quite_another_length_gets_a_file_of_its_own(int path, string why)
    {
        await using FileSlotStateStore store = _pool.Open();
        await store.CompareAndSetAsync(0, Record("slot-0") with { Path = new string('/', 6_000) }, Token);

        SlotRecord stored = (await store.CompareAndSetAsync(1, Record("slot-0") with { Path = new string('/', path) }, Token)).Stored!;

        new FileInfo(_pool.File("slot-0.json")).Length.Should().BeInRange(path, path + 1_200, why);
        Directory.EnumerateFiles(_pool.State, "*.tmp").Should().BeEmpty();
        (await _pool.Open().ReadAsync(Token)).Slots.Should().Equal(stored);
    }

    [Fact]
    public async Task What_a_link_in_place_of_a_record_leads_to_is_not_written()
    {
        await using FileSlotStateStore store = _pool.Open();
        await store.CompareAndSetAsync(0, Record("slot-0"), Token);
        string elsewhere = Path.Combine(_pool.Pool, "elsewhere");
        File.Move(_pool.File("slot-0.json"), elsewhere);
        File.CreateSymbolicLink(_pool.File("slot-0.json"), elsewhere);
        byte[] before = await File.ReadAllBytesAsync(elsewhere, Token);

        (await store.CompareAndSetAsync(1, Record("slot-0"), Token)).Applied.Should().BeTrue();

        (await File.ReadAllBytesAsync(elsewhere, Token)).Should().Equal(before);
        File.ResolveLinkTarget(_pool.File("slot-0.json"), returnFinalTarget: false).Should().BeNull("a file is in its place");
        (await _pool.Open().ReadAsync(Token)).Slots[0].Version.Should().Be(2);
    }

    [Fact]
    public async Task The_history_is_one_line_of_json_per_entry()
    {
        await using FileSlotStateStore store = _pool.Open();
        await store.AppendHistoryAsync(new HistoryEntry { At = Time, Event = HistoryEvent.Claimed, Slot = "slot-0", Key = "a\nb", Epoch = 2 }, Token);
        await store.AppendHistoryAsync(new HistoryEntry { At = Time, Event = HistoryEvent.Paused }, Token);
        (await File.ReadAllTextAsync(_pool.History, Token)).Should().Be(
            """
            {"at":"2026-06-03T21:00:00Z","event":"claimed","slot":"slot-0","key":"a\nb","epoch":2,"findings":[],"rescued":[]}
            {"at":"2026-06-03T21:00:00Z","event":"paused","epoch":0,"findings":[],"rescued":[]}

            """);
    }

    [Fact]
    public async Task Reading_makes_nothing()
    {
        await using FileSlotStateStore store = _pool.Open();
        await store.ReadAsync(Token);
        await store.ReadHistoryAsync(new HistoryQuery(), Token);
        Directory.Exists(_pool.Pool).Should().BeFalse();
    }

    [Fact]
    public async Task Removing_a_record_leaves_its_lock_file()
    {
        await using FileSlotStateStore store = _pool.Open();
        await store.CompareAndSetAsync(0, Record("slot-0"), Token);
        await using IAsyncDisposable? held = await store.TryLockSlotAsync("slot-0", Token);
        await store.RemoveAsync("slot-0", 1, Token);
        File.Exists(_pool.File("slot-0.lock")).Should().BeTrue("a second file of that name would be a second lock");
        File.Exists(_pool.File("slot-0.json")).Should().BeFalse();
    }

    [Fact]
    public async Task A_torn_last_line_is_passed_over_and_spoils_nothing()
    {
        await using FileSlotStateStore store = _pool.Open();
        await store.AppendHistoryAsync(Entry(1), Token);
        byte[] whole = await File.ReadAllBytesAsync(_pool.History, Token);
        await File.AppendAllTextAsync(_pool.History, "{\"at\":\"2026-06-03T21:0", Token);
        (await store.ReadHistoryAsync(new HistoryQuery(), Token)).Select(e => e.Epoch).Should().Equal(1);

        await store.AppendHistoryAsync(Entry(2), Token);
        (await store.ReadHistoryAsync(new HistoryQuery(), Token)).Select(e => e.Epoch).Should().Equal(2, 1);
        (await File.ReadAllBytesAsync(_pool.History, Token)).AsSpan(0, whole.Length).SequenceEqual(whole).Should().BeTrue();
    }

    [Fact]
    public async Task Lines_longer_than_a_block_and_across_blocks_are_read()
    {
        await using FileSlotStateStore store = _pool.Open();
        int[] lengths = [10, 200_000, 65_536, 1, 0, 70_000, 3];
        for (int i = 0; i < lengths.Length; i++)
        {
            await store.AppendHistoryAsync(Entry(i) with { Detail = new string('é', lengths[i]) }, Token);
        }

        IReadOnlyList<HistoryEntry> read = await store.ReadHistoryAsync(new HistoryQuery(), Token);
        read.Select(e => e.Detail!.Length).Should().Equal(lengths.Reverse());
        read.Select(e => e.Epoch).Should().Equal(6, 5, 4, 3, 2, 1, 0);
    }

    [Fact]
    public async Task Files_that_are_not_the_stores_are_left_alone()
    {
        await using FileSlotStateStore store = _pool.Open();
        await store.CompareAndSetAsync(0, Record("slot-0"), Token);
        foreach (string name in new[] { "notes.json", "slot-0.json.bak", "README" })
        {
            await File.WriteAllTextAsync(_pool.File(name), "mine", Encoding.UTF8, Token);
        }

        await store.CompareAndSetAsync(0, Record("slot-1"), Token);
        (await store.ReadAsync(Token)).Slots.Should().HaveCount(2);
        File.Exists(_pool.File("notes.json")).Should().BeTrue();
        File.Exists(_pool.File("slot-0.json.bak")).Should().BeTrue();
        File.Exists(_pool.File("README")).Should().BeTrue();
    }

    [Fact]
    public async Task A_change_is_seen_without_the_clock_moving()
    {
        // With a clock that stands still polling never comes: this is the watcher's work alone.
        await using FileSlotStateStore waiter = _pool.Open(new FakeTimeProvider());
        await using FileSlotStateStore writer = _pool.Open();
        await writer.CompareAndSetAsync(0, Record("slot-0"), Token);
        Task wait = waiter.WaitForChangeAsync((await waiter.ReadAsync(Token)).Stamp, Token).AsTask();
        await writer.CompareAndSetAsync(1, Record("slot-0"), Token);
        await wait.WaitAsync(TimeSpan.FromSeconds(30), Token);
    }

    [Fact]
    public async Task A_disposed_store_ends_its_waits()
    {
        FileSlotStateStore store = _pool.Open();
        await store.CompareAndSetAsync(0, Record("slot-0"), Token);
        Task wait = store.WaitForChangeAsync((await store.ReadAsync(Token)).Stamp, Token).AsTask();
        await store.DisposeAsync();
        await wait.Awaiting(w => w.WaitAsync(TimeSpan.FromSeconds(30), Token)).Should().ThrowAsync<ObjectDisposedException>();
    }

    [Fact]
    public async Task A_disposed_store_watches_nothing_even_if_somebody_goes_on_with_it()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "inotify is Linux's");
        FileSlotStateStore store = _pool.Open();
        await store.CompareAndSetAsync(0, Record("slot-0"), Token);
        Task wait = store.WaitForChangeAsync((await store.ReadAsync(Token)).Stamp, Token).AsTask();
        IsWatched().Should().BeTrue();
        await store.DisposeAsync();
        await wait.Awaiting(w => w).Should().ThrowAsync<ObjectDisposedException>();

        await store.Awaiting(s => s.WaitForChangeAsync("", Token).AsTask()).Should().ThrowAsync<ObjectDisposedException>();
        (await store.CompareAndSetAsync(1, Record("slot-0"), Token)).Applied.Should().BeTrue();
        IsWatched().Should().BeFalse();

        // Which queues this process has, and what they watch: proc_pid_fdinfo(5).
        bool IsWatched()
        {
            string directory = $" ino:{UnixCalls.InodeOf(_pool.State):x} ";
            return Directory.EnumerateFiles("/proc/self/fdinfo").Any(file =>
            {
                try
                {
                    return File.ReadAllText(file).Contains(directory, StringComparison.Ordinal);
                }
                catch (IOException)
                {
                    // Closed meanwhile.
                    return false;
                }
            });
        }
    }

    public void Dispose() => _pool.Dispose();

    private static SlotRecord Record(string slot) => new() { Slot = slot, Host = "h", Path = "/p" };

    private static HistoryEntry Entry(long epoch) => new() { At = Time, Event = HistoryEvent.Healed, Epoch = epoch };
}
