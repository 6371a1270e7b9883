namespace WorktreePool.Testing;

/// <summary>
/// Makes a <see cref="TestPool"/> in the state that a test begins with: slots in the order in which they are named, from <c>slot-0</c> on.
/// <code>await using TestPool pool = await new TestPoolBuilder().Held("MC-1").HeldByTheDead("MC-2").Free(2).BuildAsync();</code>
/// </summary>
public sealed class TestPoolBuilder
{
    private readonly List<Func<SlotRecord, TestPool.World, ValueTask<SlotRecord>>> _slots = [];
    private readonly List<Action<WorktreePoolOptions>> _configure = [];
    private TimeProvider _time = TimeProvider.System;
    private string? _paused;

    /// <summary>Uses a clock, for example a <c>FakeTimeProvider</c> that the test moves; see <see cref="Clock"/>. Default: the system's.</summary>
    /// <param name="time">The clock.</param>
    public TestPoolBuilder WithTime(TimeProvider time)
    {
        _time = time ?? throw new ArgumentNullException(nameof(time));
        return this;
    }

    /// <summary>Changes settings.</summary>
    /// <param name="configure">Sets them; the number of slots follows from the slots that are named, or is 4.</param>
    public TestPoolBuilder Configure(Action<WorktreePoolOptions> configure)
    {
        _configure.Add(configure ?? throw new ArgumentNullException(nameof(configure)));
        return this;
    }

    /// <summary>Slots that nobody holds, ready at the base.</summary>
    /// <param name="count">How many.</param>
    public TestPoolBuilder Free(int count = 1) => Add(count, (slot, _) => ValueTask.FromResult(slot));

    /// <summary>Slots that were never made.</summary>
    /// <param name="count">How many.</param>
    public TestPoolBuilder Absent(int count = 1) => Add(count, (slot, world) =>
    {
        world.Git.Slot(slot.Slot).Vanish();
        return ValueTask.FromResult(slot with { State = SlotState.Absent, Admin = null, Commit = null });
    });

    /// <summary>A slot that is recorded free, but stands on a stale branch with files in it: the outage that the pool was made for.</summary>
    /// <param name="branch">The branch.</param>
    /// <param name="files">The files.</param>
    public TestPoolBuilder FreeButDirty(string branch, params string[] files) => Add(1, (slot, world) =>
    {
        world.Git.Slot(slot.Slot).Checkout(branch);
        world.Git.Slot(slot.Slot).Write(files);
        return ValueTask.FromResult(slot);
    });

    /// <summary>A slot that a process holds which lives.</summary>
    /// <param name="key">The lease's key.</param>
    /// <param name="branch">Its branch; null for none.</param>
    public TestPoolBuilder Held(string key, string? branch = null) => Leased(key, branch, world => LeaseOwner.ForProcess(world.Processes.Start()));

    /// <summary>A slot whose holder is dead: the next claim takes it back.</summary>
    /// <param name="key">The lease's key.</param>
    /// <param name="branch">Its branch; null for none.</param>
    public TestPoolBuilder HeldByTheDead(string key, string? branch = null) => Leased(key, branch, world =>
    {
        ProcessIdentity dead = world.Processes.Start();
        world.Processes.Kill(dead);
        return LeaseOwner.ForProcess(dead);
    });

    /// <summary>A slot that is held for a time.</summary>
    /// <param name="key">The lease's key.</param>
    /// <param name="left">How much of the time is left; negative: it ran out so long ago.</param>
    public TestPoolBuilder HeldFor(string key, TimeSpan left) => Leased(key, null, _ => LeaseOwner.ForDuration(TimeSpan.FromHours(1)), left);

    /// <summary>A slot in which a claim was killed before it was ready.</summary>
    /// <param name="key">The claim's key.</param>
    public TestPoolBuilder Crashed(string key) => Add(1, async (slot, world) =>
    {
        SlotRecord held = await LeaseAsync(slot, world, key, null, LeaseOwner.ForProcess(world.Processes.Start()), null).ConfigureAwait(false);
        world.Processes.Kill(held.Lease!.Owner.Process!);
        world.Git.Slot(slot.Slot).Damage(FindingIds.LockStale);
        return held with { State = SlotState.Preparing, Worker = held.Lease.Owner.Process, Commit = null, Lease = held.Lease with { Commit = null } };
    });

    /// <summary>A slot that is set aside.</summary>
    /// <param name="reason">Why.</param>
    /// <param name="retryIn">When it is tried again.</param>
    public TestPoolBuilder Quarantined(string reason, TimeSpan retryIn) => Add(1, (slot, world) =>
        ValueTask.FromResult(slot with { State = SlotState.Quarantined, Commit = null, Quarantine = new QuarantineRecord(reason, world.Time.GetUtcNow() + retryIn, 1) }));

    /// <summary>The pool is paused.</summary>
    /// <param name="reason">Why.</param>
    public TestPoolBuilder Paused(string reason)
    {
        _paused = reason ?? "";
        return this;
    }

    /// <summary>Makes the pool.</summary>
    public async ValueTask<TestPool> BuildAsync()
    {
        int count = _slots.Count;
        var world = new TestPool.World(_time, options =>
        {
            (options.RepositoryPath, options.PoolDirectory) = ("/test/repository", "/test/pool");
            options.Slots = count == 0 ? options.Slots : count;
            _configure.ForEach(configure => configure(options));
        });
        var pool = new TestPool(world);
        string commit = pool.BaseCommit;
        for (int number = 0; number < count; number++)
        {
            var place = new SlotPlace($"slot-{number}", $"/test/pool/slots/slot-{number}", null);
            string admin = await world.Git.RepairAsync(place, commit, RepairLevel.Rebuild, CancellationToken.None).ConfigureAwait(false);
            SlotRecord record = await _slots[number](
                new SlotRecord { Slot = place.Slot, Host = pool.Process.Host, Path = place.Path, Admin = admin, State = SlotState.Free, Commit = commit, UpdatedAt = _time.GetUtcNow() },
                world).ConfigureAwait(false);
            await world.Store.CompareAndSetAsync(0, record, CancellationToken.None).ConfigureAwait(false);
        }

        await world.Store.CompareAndSetPoolAsync(
            0,
            new PoolRecord { Base = new BaseRecord(world.Git.DefaultBase, commit, _time.GetUtcNow()), Paused = _paused is null ? null : new PauseRecord(_paused, _time.GetUtcNow()) },
            CancellationToken.None).ConfigureAwait(false);
        return pool;
    }

    private TestPoolBuilder Leased(string key, string? branch, Func<TestPool.World, LeaseOwner> owner, TimeSpan? left = null) =>
        Add(1, (slot, world) => LeaseAsync(slot, world, key, branch, owner(world), left));

    private static async ValueTask<SlotRecord> LeaseAsync(SlotRecord slot, TestPool.World world, string key, string? branch, LeaseOwner owner, TimeSpan? left)
    {
        if (branch is not null)
        {
            await world.Git.StartBranchAsync(slot.Place, branch, slot.Commit!, CancellationToken.None).ConfigureAwait(false);
        }

        DateTimeOffset now = world.Time.GetUtcNow();
        return slot with
        {
            State = SlotState.Leased,
            Epoch = 1,
            Lease = new LeaseRecord
            {
                Key = key,
                TokenHash = LeaseToken.Create(slot.Slot, 1).Hash,
                Owner = owner,
                Branch = branch,
                Commit = slot.Commit,
                ClaimedAt = now,
                CheckedInAt = now,
                ExpiresAt = left is null ? null : now + left,
            },
        };
    }

    private TestPoolBuilder Add(int count, Func<SlotRecord, TestPool.World, ValueTask<SlotRecord>> slot)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        _slots.AddRange(Enumerable.Repeat(slot, count));
        return this;
    }
}
