
namespace WorktreePool.FileState.Tests;

/// <summary>What a disk loses of the state is restored from its copy and told; what is lost of both counts as held; what a newer version wrote stays as it is.</summary>
public sealed class DamagedStateTests : IDisposable
{
    private readonly PoolDirectory _pool = new();

    /// <summary>Where, what, and what must be said about it.</summary>
    public static TheoryData<string, string, string> Damages => new()
    {
        { "slot-0.json", "", "damaged" },
        { "slot-0.json", "\0\0\0\0\0\0\0\0", "damaged" },
        { "slot-0.json", "{\n  \"schema\": 1,\n  \"slot\": \"slot-0\",\n  \"host", "damaged" },
        { "slot-0.json", "null", "damaged" },
        { "slot-0.json", "[]", "damaged" },
        { "slot-0.json", "{}", "no schema number" },
        { "slot-0.json", Slot("\"schema\": 0"), "no schema number" },
        { "slot-0.json", Slot("\"schema\": \"1\""), "no schema number" },
        { "slot-0.json", Slot("\"schema\": 1, \"future\": true"), "future" },
        { "slot-0.json", Slot("\"schema\": 1, \"host\": \"twice\""), "host" },
        { "slot-0.json", Slot("\"schema\": 1, \"state\": \"floating\""), "state" },
        { "slot-0.json", Slot("\"schema\": 1, \"state\": 3"), "state" },
        { "slot-0.json", Slot("\"schema\": 1, \"epoch\": \"x\""), "epoch" },
        { "slot-0.json", Slot("\"schema\": 1, \"updatedAt\": \"yesterday\""), "updatedAt" },
        { "slot-0.json", Slot("\"schema\": 1, \"lease\": {}"), "damaged" },
        { "slot-0.json", Slot("\"schema\": 1, \"lease\": {\"key\": \"k\", \"tokenHash\": \"h\", \"owner\": {}}"), "owner" },
        { "slot-0.json", Slot("\"schema\": 1, \"lease\": {\"key\": \"k\", \"tokenHash\": \"h\", \"owner\": {\"duration\": \"-01:00:00\"}}"), "owner" },
        { "slot-0.json", Slot("\"schema\": 1").Replace("\"version\": 1", "\"version\": 0", StringComparison.Ordinal), "version 0" },
        { "slot-0.json", Slot("\"schema\": 1").Replace("slot-0", "slot-1", StringComparison.Ordinal), "slot-1" },
        { "slot-0.json", Slot("\"schema\": 1") + "}", "damaged" },
        { "pool-record.json", "", "damaged" },
        { "pool-record.json", "{\"schema\": 1}", "version 0" },
        { "pool-record.json", "{\"schema\": 1, \"version\": 1, \"paused\": {}}", "damaged" },
    };

    public static TheoryData<string, string, string> Newer => new()
    {
        { "slot-0.json", Slot("\"schema\": 2"), "schema 2" },
        { "slot-0.json", "{\"schema\": 99, \"all\": \"new\"}", "schema 99" },
        { "pool-record.json", "{\"schema\": 2, \"version\": 1}", "schema 2" },
    };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task What_is_damaged_is_restored_from_its_copy_and_told(string file, string content, string says)
    {
        await using FileSlotStateStore store = _pool.Open();
        PoolState before = await FillAsync(store);
        await File.WriteAllTextAsync(_pool.File(file), content, Token);

        (await store.ReadAsync(Token)).Should().BeEquivalentTo(before);
        await using FileSlotStateStore other = _pool.Open();
        (await other.ReadAsync(Token)).Should().BeEquivalentTo(before, "another process sees the same");
        (await File.ReadAllTextAsync(_pool.File(file), Token)).Should().Be(content, "reading changes nothing");

        await ShouldRestoreAsync(other, before, says);
        (await File.ReadAllTextAsync(_pool.File(file + ".damaged"), Token)).Should().Be(content, "a person may want to look at it");
    }

    [Theory]
    [InlineData("slot-0.json")]
    [InlineData("pool-record.json")]
    public async Task What_is_missing_or_older_is_restored_from_its_copy_and_told(string file)
    {
        await using FileSlotStateStore store = _pool.Open();
        await FillAsync(store);
        byte[] old = await File.ReadAllBytesAsync(_pool.File(file), Token);
        await store.CompareAndSetAsync(1, Record("slot-0") with { Epoch = 7 }, Token);
        await store.CompareAndSetPoolAsync(1, new PoolRecord { Paused = new PauseRecord("p", default) }, Token);
        PoolState before = await store.ReadAsync(Token);

        File.Delete(_pool.File(file));
        (await _pool.Open().ReadAsync(Token)).Should().BeEquivalentTo(before, options => options.Excluding(state => state.Stamp));
        await ShouldRestoreAsync(store, before, "missing");

        await File.WriteAllBytesAsync(_pool.File(file), old, Token);
        (await _pool.Open().ReadAsync(Token)).Should().BeEquivalentTo(before, options => options.Excluding(state => state.Stamp));
        await ShouldRestoreAsync(store, before, "version 1");
    }

    [Fact]
    public async Task A_whole_directory_that_is_gone_is_restored()
    {
        await using FileSlotStateStore store = _pool.Open();
        PoolState before = await FillAsync(store);
        foreach (string lost in new[] { _pool.State, _pool.Copies })
        {
            new DirectoryInfo(lost).Delete(recursive: true);
            await using FileSlotStateStore next = _pool.Open();
            (await next.ReadAsync(Token)).Should().BeEquivalentTo(before, options => options.Excluding(state => state.Stamp));
            (await next.CompareAndSetAsync(9, Record("slot-0"), Token)).Outcome.Should().Be(StoreOutcome.Conflict);
            (await next.CompareAndSetPoolAsync(9, new PoolRecord(), Token)).Should().BeFalse();
            Directory.EnumerateFiles(lost, lost == _pool.State ? "*.json" : "*.journal").Should().HaveCount(3);
        }
    }

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task What_is_lost_of_both_counts_as_held_until_a_person_decides(string file, string content, string says)
    {
        await using FileSlotStateStore store = _pool.Open();
        PoolState before = await FillAsync(store);
        await File.WriteAllTextAsync(_pool.File(file), content, Token);
        await File.WriteAllTextAsync(_pool.JournalOf(file), content, Token);
        IReadOnlyList<string> files = _pool.Content();

        PoolState state = await store.ReadAsync(Token);

        (await _pool.Open().ReadAsync(Token)).Should().BeEquivalentTo(state, "everybody sees the same");
        _pool.Content().Should().Equal(files, "it is left alone");
        if (file == "pool-record.json")
        {
            state.Slots.Should().BeEquivalentTo(before.Slots);
            state.Pool.Paused!.Reason.Should().Contain(says).And.Contain("damaged");
            (await store.CompareAndSetPoolAsync(0, new PoolRecord(), Token)).Should().BeFalse();
            (await store.CompareAndSetPoolAsync(state.Pool.Version, state.Pool with { Paused = null }, Token)).Should().BeTrue();
            (await store.ReadAsync(Token)).Pool.Paused.Should().BeNull();
            return;
        }

        state.Slots[1].Should().BeEquivalentTo(before.Slots[1], "the others are as they were");
        SlotRecord lost = state.Slots[0];
        lost.Should().Match<SlotRecord>(record => record.State == SlotState.Leased && record.Lease!.Owner.Process!.Host != record.Host && record.Lease.ExpiresAt == null);
        lost.Lease!.Metadata["lost"].Should().Contain(says).And.Contain($"release --key {lost.Lease.Key}");
        (await store.CompareAndSetAsync(0, Record("slot-0"), Token)).Outcome.Should().Be(StoreOutcome.Conflict, "it is not new");
        (await store.CompareAndSetAsync(1, Record("slot-1") with { Epoch = 3 }, Token)).Applied.Should().BeTrue("the others go on");
        SlotRecord freed = (await store.CompareAndSetAsync(lost.Version, lost with { State = SlotState.Cleaning, Lease = null, Epoch = lost.Epoch + 1 }, Token)).Stored!;
        (await _pool.Open().ReadAsync(Token)).Slots[0].Should().BeEquivalentTo(freed);
        (await File.ReadAllTextAsync(_pool.File(file + ".damaged"), Token)).Should().Be(content);
    }

    [Fact]
    public async Task What_is_gone_of_both_counts_as_held_as_long_as_the_slot_is_there()
    {
        await using FileSlotStateStore store = _pool.Open();
        PoolState before = await FillAsync(store);
        await (await store.TryLockSlotAsync("slot-0", Token))!.DisposeAsync();
        await (await store.TryLockSlotAsync("slot-1", Token))!.DisposeAsync();
        Directory.CreateDirectory(Path.Combine(_pool.Pool, "slots", "slot-0"));
        foreach (string file in new[] { "slot-0.json", "slot-1.json" })
        {
            File.Delete(_pool.File(file));
            File.Delete(_pool.JournalOf(file));
        }

        PoolState state = await store.ReadAsync(Token);

        await using FileSlotStateStore other = _pool.Open();
        (await other.ReadAsync(Token)).Should().BeEquivalentTo(state, "one that never saw the record sees the same");
        SlotRecord lost = state.Slots.Should().ContainSingle("of the other slot nothing is there that anybody could hold").Which;
        lost.Should().Match<SlotRecord>(record => record.Slot == "slot-0" && record.State == SlotState.Leased && record.Lease!.Owner.Process!.Host != record.Host);
        lost.Lease!.Metadata["lost"].Should().Contain("missing").And.Contain("release --key lost:slot-0");
        lost.Epoch.Should().BeGreaterThan(1_000_000_000, "no former holder's number fits");
        (await other.CompareAndSetAsync(0, Record("slot-0"), Token)).Outcome.Should().Be(StoreOutcome.Conflict, "it is not new");
        (await other.CompareAndSetAsync(before.Slots[0].Version, Record("slot-0"), Token)).Outcome.Should().Be(StoreOutcome.Conflict, "nor what it was");
        (await other.CompareAndSetAsync(0, Record("slot-1"), Token)).Applied.Should().BeTrue("the others go on");
        lost = (await other.ReadAsync(Token)).Slots[0];
        SlotRecord freed = (await other.CompareAndSetAsync(lost.Version, lost with { State = SlotState.Cleaning, Lease = null, Epoch = lost.Epoch + 1 }, Token)).Stored!;
        (await store.ReadAsync(Token)).Slots[0].Should().BeEquivalentTo(freed);
    }

    [Theory]
    [MemberData(nameof(Newer))]
    public async Task What_a_newer_version_wrote_is_refused_and_left_alone(string file, string content, string says)
    {
        await using FileSlotStateStore store = _pool.Open();
        string stamp = (await FillAsync(store)).Stamp;
        await File.WriteAllTextAsync(_pool.File(file), content, Token);
        IReadOnlyList<string> before = _pool.Content();
        bool slot = file.StartsWith("slot", StringComparison.Ordinal);

        await FailsAsync(() => store.ReadAsync(Token).AsTask());
        await FailsAsync(() => store.WaitForChangeAsync(stamp, Token).AsTask());
        await FailsAsync(() => slot
            ? store.CompareAndSetAsync(0, Record("slot-5"), Token).AsTask()
            : store.CompareAndSetPoolAsync(1, new PoolRecord(), Token).AsTask());
        await FailsAsync(() => slot
            ? store.RemoveAsync("slot-0", 1, Token).AsTask()
            : store.CompareAndSetPoolAsync(0, new PoolRecord(), Token).AsTask());
        _pool.Content().Should().Equal(before);

        async Task FailsAsync(Func<Task> act)
        {
            string message = (await act.Should().ThrowAsync<StateStoreException>()).Which.Message;
            message.Should().Contain(_pool.File(file)).And.Contain("newer version of WorktreePool").And.Contain(says).And.Contain("Nothing was changed");
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_journal_that_is_gone_or_older_is_brought_up_to_date(bool isGone)
    {
        await using FileSlotStateStore store = _pool.Open();
        await FillAsync(store);
        byte[] old = await File.ReadAllBytesAsync(_pool.JournalOf("slot-0.json"), Token);
        await store.CompareAndSetAsync(1, Record("slot-0") with { Epoch = 7 }, Token);
        byte[]? present = ReadableFile.TryRead(_pool.File("slot-0.json"));
        File.Delete(_pool.JournalOf("slot-0.json"));
        if (!isGone)
        {
            await File.WriteAllBytesAsync(_pool.JournalOf("slot-0.json"), old, Token);
        }

        await _pool.Open().CompareAndSetAsync(9, Record("slot-1"), Token);

        Journaled("slot-0.json").Should().Equal(present);
        (await store.ReadHistoryAsync(new HistoryQuery(), Token)).Should().BeEmpty("nothing was lost");
    }

    [Fact]
    public async Task What_only_the_journal_has_after_a_power_loss_is_the_state()
    {
        await using FileSlotStateStore store = _pool.Open();
        await FillAsync(store);
        byte[] old = await File.ReadAllBytesAsync(_pool.File("slot-0.json"), Token);
        SlotRecord middle = (await store.CompareAndSetAsync(1, Record("slot-0") with { Epoch = 7 }, Token)).Stored!;
        SlotRecord last = (await store.CompareAndSetAsync(2, middle with { Epoch = 8 }, Token)).Stored!;

        // The file never reached the disk in any of its later versions; the number that tells of changes may be any.
        await File.WriteAllBytesAsync(_pool.File("slot-0.json"), old, Token);
        await File.WriteAllBytesAsync(_pool.File("store.lock"), new byte[8], Token);

        await using FileSlotStateStore next = _pool.Open();
        (await next.ReadAsync(Token)).Slots[0].Should().BeEquivalentTo(last);
        (await next.CompareAndSetAsync(last.Version, last with { Epoch = 9 }, Token)).Applied.Should().BeTrue();
    }

    [Theory]
    [InlineData(400, true)]
    [InlineData(512, true)]
    [InlineData(400, false)]
    [InlineData(512, false)]
    public async Task A_file_of_which_only_the_beginning_reached_the_disk_is_restored_even_if_it_can_be_read(int cut, bool isJournaled)
    {
        await using FileSlotStateStore store = _pool.Open();
        await FillAsync(store);
        await store.CompareAndSetAsync(1, Held('a'), Token);
        PoolState before = await store.ReadAsync(Token);
        byte[] old = await File.ReadAllBytesAsync(_pool.File("slot-0.json"), Token);
        byte[] journal = await File.ReadAllBytesAsync(_pool.JournalOf("slot-0.json"), Token);
        await store.CompareAndSetAsync(2, Held('b'), Token);
        byte[] torn = await File.ReadAllBytesAsync(_pool.File("slot-0.json"), Token);
        old.AsSpan(cut).CopyTo(torn.AsSpan(cut));
        await File.WriteAllBytesAsync(_pool.File("slot-0.json"), torn, Token);
        await File.WriteAllBytesAsync(_pool.File("store.lock"), new byte[8], Token);
        if (isJournaled)
        {
            before = new PoolState(before.Pool, [before.Slots[0] with { Version = 3, Lease = Held('b').Lease }, before.Slots[1]], before.Stamp);
        }
        else
        {
            // The power failed before its writer was told that the change was made, and its file was on the way to the disk sooner.
            await File.WriteAllBytesAsync(_pool.JournalOf("slot-0.json"), journal, Token);
        }

        await using FileSlotStateStore next = _pool.Open();
        (await next.ReadAsync(Token)).Slots.Should().BeEquivalentTo(before.Slots, "the file says version 3, but that is not whole");
        await ShouldRestoreAsync(next, before, "does not fit its \"check\"");
        (await File.ReadAllBytesAsync(_pool.File("slot-0.json.damaged"), Token)).Should().Equal(torn);

        static SlotRecord Held(char text) => Record("slot-0") with
        {
            Lease = new LeaseRecord { Key = "k", TokenHash = "", Owner = LeaseOwner.ForDuration(TimeSpan.FromHours(1)), Metadata = new Dictionary<string, string> { ["m"] = new(text, 600) } },
        };
    }

    [Fact]
    public async Task A_file_that_reached_the_disk_before_its_journal_counts()
    {
        await using FileSlotStateStore store = _pool.Open();
        await FillAsync(store);
        byte[] journal = await File.ReadAllBytesAsync(_pool.JournalOf("slot-0.json"), Token);
        SlotRecord last = (await store.CompareAndSetAsync(1, Record("slot-0") with { Epoch = 7 }, Token)).Stored!;
        await File.WriteAllBytesAsync(_pool.JournalOf("slot-0.json"), journal, Token);
        await File.WriteAllBytesAsync(_pool.File("store.lock"), new byte[8], Token);

        await using FileSlotStateStore next = _pool.Open();
        (await next.ReadAsync(Token)).Slots[0].Should().BeEquivalentTo(last);
        (await next.CompareAndSetAsync(9, Record("slot-1"), Token)).Outcome.Should().Be(StoreOutcome.Conflict);
        Journaled("slot-0.json").Should().Equal(ReadableFile.TryRead(_pool.File("slot-0.json")), "from now on it is on the disk twice");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(40)]
    [InlineData(70)]
    public async Task A_write_that_was_cut_off_leaves_the_version_before(int at)
    {
        await using FileSlotStateStore store = _pool.Open();
        await FillAsync(store);
        SlotRecord before = (await store.CompareAndSetAsync(1, Record("slot-0") with { Epoch = 7 }, Token)).Stored!;
        byte[] file = await File.ReadAllBytesAsync(_pool.File("slot-0.json"), Token);
        await store.CompareAndSetAsync(2, before with { Epoch = 8 }, Token);

        // The third write went into the first half; the power failed in the middle of it.
        byte[] journal = await File.ReadAllBytesAsync(_pool.JournalOf("slot-0.json"), Token);
        journal[at] ^= 0xff;
        await File.WriteAllBytesAsync(_pool.JournalOf("slot-0.json"), journal, Token);
        await File.WriteAllBytesAsync(_pool.File("slot-0.json"), at == 0 ? [] : file, Token);

        await using FileSlotStateStore next = _pool.Open();
        (await next.ReadAsync(Token)).Slots[0].Should().BeEquivalentTo(before);
        (await next.CompareAndSetAsync(2, before with { Epoch = 9 }, Token)).Applied.Should().BeTrue();
        (await _pool.Open().ReadAsync(Token)).Slots[0].Epoch.Should().Be(9);
    }

    [Fact]
    public async Task A_writer_that_died_between_journal_and_file_is_no_damage()
    {
        await using FileSlotStateStore store = _pool.Open();
        await FillAsync(store);
        byte[] old = await File.ReadAllBytesAsync(_pool.File("slot-0.json"), Token);
        SlotRecord last = (await store.CompareAndSetAsync(1, Record("slot-0") with { Epoch = 7 }, Token)).Stored!;
        await File.WriteAllBytesAsync(_pool.File("slot-0.json"), old, Token);
        await File.WriteAllBytesAsync(_pool.File("store.lock"), [255, 0, 0, 0, 0, 0, 0, 0], Token);

        (await store.ReadAsync(Token)).Slots[0].Should().BeEquivalentTo(last);
        await _pool.Open().CompareAndSetAsync(9, Record("slot-1"), Token);

        ReadableFile.TryRead(_pool.File("slot-0.json")).Should().Equal(Journaled("slot-0.json"));
        (await store.ReadHistoryAsync(new HistoryQuery(), Token)).Should().BeEmpty("nothing was lost");
        File.Exists(_pool.File("slot-0.json.damaged")).Should().BeFalse();
    }

    [Fact]
    public async Task A_record_that_outgrows_its_journal_gets_a_larger_one()
    {
        await using FileSlotStateStore store = _pool.Open();
        await FillAsync(store);
        long version = 1;
        foreach (int length in new[] { 10_000, 20, 5_000, 100_000, 1 })
        {
            var lease = new LeaseRecord { Key = "k", TokenHash = "", Owner = LeaseOwner.ForDuration(TimeSpan.FromHours(1)), Metadata = new Dictionary<string, string> { ["m"] = new('x', length) } };
            SlotRecord stored = (await store.CompareAndSetAsync(version++, Record("slot-0") with { Lease = lease }, Token)).Stored!;
            File.Delete(_pool.File("slot-0.json"));
            (await _pool.Open().ReadAsync(Token)).Slots[0].Should().BeEquivalentTo(stored);
        }
    }

    [Fact]
    public async Task A_pool_of_a_version_without_journals_is_read_and_goes_on()
    {
        await using FileSlotStateStore store = _pool.Open();
        PoolState before = await FillAsync(store);
        foreach (string file in new[] { "slot-0.json", "slot-1.json", "pool-record.json" })
        {
            File.Copy(_pool.File(file), Path.Combine(_pool.Copies, file));
            File.Delete(_pool.JournalOf(file));
        }

        File.Delete(_pool.File("slot-0.json"));
        await using FileSlotStateStore next = _pool.Open();
        (await next.ReadAsync(Token)).Should().BeEquivalentTo(before, options => options.Excluding(state => state.Stamp));
        (await next.CompareAndSetAsync(1, Record("slot-0") with { Epoch = 2 }, Token)).Applied.Should().BeTrue();
        File.Exists(Path.Combine(_pool.Copies, "slot-0.json")).Should().BeFalse("the journal is in its place");
        Journaled("slot-0.json").Should().Equal(ReadableFile.TryRead(_pool.File("slot-0.json")));
    }

    [Fact]
    public async Task A_directory_in_place_of_a_record_is_an_error_not_an_absence()
    {
        await using FileSlotStateStore store = _pool.Open();
        Directory.CreateDirectory(_pool.File("slot-0.json"));
        (await store.Awaiting(s => s.ReadAsync(Token).AsTask()).Should().ThrowAsync<StateStoreException>())
            .Which.Message.Should().Contain("slot-0.json");
    }

    [Fact]
    public async Task A_history_that_cannot_be_written_keeps_no_change_from_being_made()
    {
        await using FileSlotStateStore store = _pool.Open();
        Directory.CreateDirectory(_pool.History);

        StoreResult result = await store.CompareAndSetAsync(0, Record("slot-0"), new HistoryEntry { At = default, Event = HistoryEvent.Claimed }, Token);

        result.Applied.Should().BeTrue();
        result.HistoryFault.Should().Contain("history.jsonl");
        (await _pool.Open().ReadAsync(Token)).Slots.Should().Equal(result.Stored!);
    }

    [Fact]
    public async Task A_file_in_place_of_the_directory_is_an_error_not_an_empty_pool()
    {
        Directory.CreateDirectory(_pool.Pool);
        await File.WriteAllTextAsync(_pool.State, "", Token);
        await using FileSlotStateStore store = _pool.Open();
        await store.Awaiting(s => s.ReadAsync(Token).AsTask()).Should().ThrowAsync<StateStoreException>();
        await store.Awaiting(s => s.CompareAndSetAsync(0, Record("slot-0"), Token).AsTask()).Should().ThrowAsync<StateStoreException>();
        await store.Awaiting(s => s.TryLockSlotAsync("slot-0", Token).AsTask()).Should().ThrowAsync<StateStoreException>("it is broken, not busy");
    }

    public void Dispose() => _pool.Dispose();

    private static async Task<PoolState> FillAsync(FileSlotStateStore store)
    {
        await store.CompareAndSetAsync(0, Record("slot-0"), Token);
        await store.CompareAndSetAsync(0, Record("slot-1"), Token);
        await store.CompareAndSetPoolAsync(0, new PoolRecord(), Token);

        // From now on it is told which files are touched; the stores that are opened beside it are not.
        await store.WaitForChangeAsync("another stamp", Token);
        return await store.ReadAsync(Token);
    }

    /// <summary>The next change, of whichever record, restores what is damaged, and the history says so.</summary>
    private async Task ShouldRestoreAsync(FileSlotStateStore store, PoolState before, string says)
    {
        (await store.CompareAndSetAsync(9, Record("slot-0"), Token)).Outcome.Should().Be(StoreOutcome.Conflict);
        (await store.CompareAndSetPoolAsync(9, new PoolRecord(), Token)).Should().BeFalse();
        (await store.ReadAsync(Token)).Should().BeEquivalentTo(before, options => options.Excluding(state => state.Stamp));
        foreach (string file in new[] { "slot-0.json", "slot-1.json", "pool-record.json" })
        {
            ReadableFile.TryRead(_pool.File(file)).Should().Equal(Journaled(file));
        }

        HistoryEntry told = (await store.ReadHistoryAsync(new HistoryQuery(), Token))[0];
        told.Event.Should().Be(HistoryEvent.Restored);
        told.Detail.Should().Contain(_pool.State).And.Contain(says);
    }

    private byte[]? Journaled(string file) => new JournalFile(_pool.JournalOf(file)).TryRead(out _);

    private static SlotRecord Record(string slot) => new() { Slot = slot, Host = "h", Path = "/p" };

    private static string Slot(string fields) => $$"""{{{fields}}, "slot": "slot-0", "host": "h", "path": "/p", "version": 1}""";
}
