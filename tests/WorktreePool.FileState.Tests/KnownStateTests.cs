using Microsoft.Win32.SafeHandles;

namespace WorktreePool.FileState.Tests;

/// <summary>What a process knows of the state without reading it again.</summary>
public sealed class KnownStateTests : IDisposable
{
    private readonly PoolDirectory _pool = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_read_before_an_own_change_does_not_take_the_place_of_what_was_written()
    {
        await using FileSlotStateStore store = _pool.Open();
        await store.CompareAndSetPoolAsync(0, new PoolRecord(), Token);
        using var documents = new StateDocuments(_pool.State, _pool.Copies);
        documents.Pool.Read(isSettled: false).Record.Should().NotBeNull();
        var known = new KnownState(documents);
        PoolState read = State(1), written = State(2);

        // A reader that was held up: it has read all, and before it says so this process writes. Nobody is told of its own writing.
        long before = known.Forget();
        documents.Write(written.Pool, StateDocument.Write(written.Pool, StateJson.Default.PoolRecord)).Should().BeTrue();
        known.KeepWritten(4, written, isWhole: true);
        known.KeepRead(2, read, before);
        known.Recall(4, null)!.Value.State.Should().BeSameAs(written);

        PoolState again = State(2);
        known.KeepRead(6, again, known.Forget());
        known.Recall(6, null)!.Value.State.Should().BeSameAs(again);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_was_read_before_a_change_that_another_reader_has_seen_is_brought_up_to_date(bool isLooked)
    {
        await using FileSlotStateStore writer = _pool.Open();
        await writer.CompareAndSetAsync(0, Record("slot-0"), Token);
        await writer.CompareAndSetAsync(0, Record("slot-1"), Token);
        using var documents = new StateDocuments(_pool.State, _pool.Copies);
        documents.Watch();
        documents.BeginListing();
        TwinDocument<SlotRecord> slot = documents.Of("slot-0");
        SlotRecord[] first = [slot.Read(isSettled: true).Record!, documents.Of("slot-1").Read(isSettled: true).Record!];
        var known = new KnownState(documents);
        using SafeFileHandle counter = ChangeCounter.TryOpen(_pool.File("store.lock"))!;
        long number = ChangeCounter.Look(counter);
        var earlier = new PoolState(new PoolRecord(), first, "");
        long before = known.Forget();
        known.KeepRead(number, earlier, before);
        (known.TryRefresh(number, counter) ?? known.TryRefresh(number, counter))!.Slots.Should().Equal(first);

        // A reader that is held up: it has read all. Meanwhile the slot is changed, and others see that before the change is over; only then it says what it has read.
        before = known.Forget();
        await writer.CompareAndSetAsync(1, Record("slot-0"), Token);
        slot.Read(isSettled: false).Record!.Version.Should().Be(2);
        known.KeepRead(number, earlier, before);
        if (isLooked)
        {
            known.TryRefresh(number, counter);
        }

        await writer.CompareAndSetAsync(1, Record("slot-1"), Token);

        long now = ChangeCounter.Look(counter);
        known.TryRefresh(now, counter)!.Slots.Select(record => record.Version).Should().Equal(2, 2);
        known.Recall(now, "slot-0")!.Value.State.Slots.Select(record => record.Version).Should().Equal(2, 2);
    }

    [Fact]
    public void What_was_read_before_a_reader_told_of_a_change_that_is_not_over_is_not_kept_after_it()
    {
        using var documents = new StateDocuments(_pool.State, _pool.Copies);
        var known = new KnownState(documents);
        PoolState read = State(1);

        long before = known.Forget();
        known.Outdate();
        known.KeepRead(2, read, before);

        known.Recall(2, null).Should().BeNull();
    }

    public void Dispose() => _pool.Dispose();

    private static SlotRecord Record(string slot) => new() { Slot = slot, Host = "host", Path = $"/pool/slots/{slot}" };

    private static PoolState State(long version) => new(new PoolRecord { Version = version }, [], "");
}
