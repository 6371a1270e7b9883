using System.Text;

namespace WorktreePool.FileState.Tests;

/// <summary>A state that cannot be understood is an error that names the file, for every operation, and stays as it is.</summary>
public sealed class DamagedStateTests : IDisposable
{
    private readonly PoolDirectory _pool = new();

    /// <summary>Where, what, and what the message must say about it.</summary>
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
        { "slot-0.json", Slot("\"schema\": 2"), "newer version of WorktreePool" },
        { "slot-0.json", "{\"schema\": 99, \"all\": \"new\"}", "schema 99" },
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
        { "pool-record.json", "{\"schema\": 2, \"version\": 1}", "newer version of WorktreePool" },
        { "pool-record.json", "{\"schema\": 1, \"version\": 1, \"paused\": {}}", "damaged" },
    };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task Damage_is_told_and_left_alone(string file, string content, string says)
    {
        await using FileSlotStateStore store = _pool.Open();
        await store.CompareAndSetAsync(0, Record("slot-0"), Token);
        await store.CompareAndSetPoolAsync(0, new PoolRecord(), Token);
        string stamp = (await store.ReadAsync(Token)).Stamp;
        await File.WriteAllBytesAsync(_pool.File(file), Encoding.UTF8.GetBytes(content), Token);
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
            message.Should().Contain(_pool.File(file)).And.Contain(says).And.Contain("Nothing was changed");
        }
    }

    [Fact]
    public async Task A_damaged_slot_hides_no_other_error_and_is_seen_again_when_repaired()
    {
        await using FileSlotStateStore store = _pool.Open();
        SlotRecord stored = (await store.CompareAndSetAsync(0, Record("slot-0"), Token)).Stored!;
        byte[] good = await File.ReadAllBytesAsync(_pool.File("slot-0.json"), Token);
        await File.WriteAllBytesAsync(_pool.File("slot-0.json"), good[..^10], Token);
        await store.Awaiting(s => s.ReadAsync(Token).AsTask()).Should().ThrowAsync<StateStoreException>();
        await File.WriteAllBytesAsync(_pool.File("slot-0.json"), good, Token);
        (await store.ReadAsync(Token)).Slots.Should().ContainSingle().Which.Should().Be(stored);
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

    private static SlotRecord Record(string slot) => new() { Slot = slot, Host = "h", Path = "/p" };

    private static string Slot(string fields) => $$"""{{{fields}}, "slot": "slot-0", "host": "h", "path": "/p", "version": 1}""";
}
