using System.Diagnostics;

namespace WorktreePool.FileState.Tests;

/// <summary>When a change reaches the disk: before anybody can build on it, and if nobody can, without the lock.</summary>
public sealed class DurabilityTests : IDisposable
{
    private const string Written = "state journal written", Durable = "state journal durable", Secured = "state journal secured";

    private readonly PoolDirectory _pool = new();
    private readonly List<string> _passed = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(null, "A", false, Written, Secured)]
    [InlineData(null, "A", true, Written, Secured)]
    [InlineData("A", "A", false, Written, Secured)]
    [InlineData("A", "A", true, $"{Secured} under the lock", Written, Secured)]
    [InlineData("A", null, false, Written, $"{Durable} under the lock")]
    [InlineData("A", null, true, $"{Secured} under the lock", Written, $"{Durable} under the lock")]
    [InlineData("A", "B", false, Written, $"{Durable} under the lock")]
    [InlineData(null, null, true, Written, $"{Durable} under the lock")]
    public async Task What_frees_a_key_is_on_the_disk_before_others_see_it_and_all_else_before_its_writer_goes_on(string? from, string? to, bool elsewhere, params string[] points)
    {
        await using FileSlotStateStore store = _pool.Open();
        await using FileSlotStateStore other = _pool.Open();
        await other.CompareAndSetAsync(0, Record("slot-1", null), Token);
        await store.CompareAndSetAsync(0, Record("slot-0", null), Token);
        await store.CompareAndSetAsync(1, Record("slot-0", from), Token);

        Listen();
        (await (elsewhere ? other : store).CompareAndSetAsync(2, Record("slot-0", to), Token)).Applied.Should().BeTrue();
        _passed.Should().Equal(points);
    }

    [Fact]
    public async Task A_version_that_is_not_yet_on_the_disk_is_brought_there_before_the_next_one_is_written()
    {
        await using FileSlotStateStore store = _pool.Open();
        await store.CompareAndSetAsync(0, Record("slot-0", null), Token);
        Task<StoreResult>? second = null;
        bool isOnTheWay = false;
        Listen(name =>
        {
            // The first change has given the lock back, and nobody knows yet that its version is on the disk.
            if (name == Secured && !isOnTheWay)
            {
                isOnTheWay = true;
                _passed.Clear();
                second = store.CompareAndSetAsync(2, Record("slot-0", "A"), Token).AsTask();
            }
        });
        await store.CompareAndSetAsync(1, Record("slot-0", "A"), Token);
        (await second!).Applied.Should().BeTrue();
        _passed.Should().StartWith([$"{Secured} under the lock", Written, Secured]);
    }

    [Fact]
    public async Task What_a_writer_that_was_killed_had_not_brought_to_the_disk_is_brought_there_first()
    {
        await using FileSlotStateStore store = _pool.Open();
        await store.CompareAndSetAsync(0, Record("slot-0", null), Token);
        await store.CompareAndSetAsync(1, Record("slot-0", null), Token);
        using (FileLock held = FileLock.TryTake(_pool.File("store.lock"))!)
        {
            ChangeCounter.Begin(held.File, ChangeCounter.ReadHeld(held.File));
        }

        Listen();
        (await store.CompareAndSetAsync(2, Record("slot-0", "A"), Token)).Applied.Should().BeTrue();
        _passed.Should().Equal($"{Secured} under the lock", Written, Secured);
    }

    [Fact]
    public async Task A_disk_that_does_not_confirm_a_change_is_told()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "a pipe in the place of the journal cannot be brought to the disk");
        await using FileSlotStateStore store = _pool.Open();
        await store.CompareAndSetAsync(0, Record("slot-0", null), Token);
        Listen(name =>
        {
            if (name == Written)
            {
                File.Delete(_pool.JournalOf("slot-0.json"));
                using var made = Process.Start("mkfifo", [_pool.JournalOf("slot-0.json")]);
                made.WaitForExit();
            }
        });

        (await store.Awaiting(s => s.CompareAndSetAsync(1, Record("slot-0", "A"), Token).AsTask()).Should().ThrowAsync<StateStoreException>())
            .Which.Message.Should().Contain("did not confirm").And.Contain(_pool.JournalOf("slot-0.json"));
    }

    public void Dispose()
    {
        CrashPoints.Listen(null);
        _pool.Dispose();
    }

    private void Listen(Action<string>? also = null) => CrashPoints.Listen(name =>
    {
        if (name is Written or Durable or Secured)
        {
            _passed.Add(name == Written || IsFree() ? name : $"{name} under the lock");
            also?.Invoke(name);
        }
    });

    private bool IsFree()
    {
        using FileLock? free = FileLock.TryTake(_pool.File("store.lock"));
        return free is not null;
    }

    private static SlotRecord Record(string slot, string? key) => new()
    {
        Slot = slot,
        Host = "h",
        Path = "/p",
        Lease = key is null ? null : new LeaseRecord { Key = key, TokenHash = "hash", Owner = LeaseOwner.ForDuration(TimeSpan.FromHours(1)) },
    };
}
