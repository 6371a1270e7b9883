using WorktreePool.Testing;
using WorktreePool.Tests.Runtime;

namespace WorktreePool.Tests.Model;

/// <summary>One step of several clients that use one pool.</summary>
/// <param name="Kind">What is done.</param>
/// <param name="Client">By whom.</param>
/// <param name="Pick">To which key, lease or slot.</param>
/// <param name="Option">How.</param>
internal sealed record Step(int Kind, int Client, int Pick, int Option);

/// <summary>
/// A pool with several clients, and beside it a model that knows only who was given what. After each step the two must agree: nobody who lives
/// loses a slot, a key or a file; nothing is refused without a reason; a former holder is refused.
/// </summary>
internal sealed class PoolModel(FakeMachine machine) : IAsyncDisposable
{
    private const int Slots = 3, Clients = 3;

    private static readonly TimeSpan Duration = TimeSpan.FromMinutes(10);

    private readonly List<FakeProcess> _clients = [.. Enumerable.Range(0, Clients).Select(_ => Start(machine))];
    private readonly List<Held> _held = [];
    private readonly List<Held> _former = [];
    private bool _paused;
    private int _files;

    /// <summary>Takes a step and checks everything.</summary>
    public async Task TakeAsync(Step step)
    {
        FakeProcess client = _clients[step.Client];
        switch (step.Kind)
        {
            case 0 or 1 or 2:
                await ClaimAsync(client, step);
                break;
            case 3 or 4 when Pick(step) is { } held:
                await ReleaseAsync(held, step.Option % 3 == 0 ? ReleaseMode.Discard : ReleaseMode.Rescue);
                break;
            case 5 when Pick(step) is { } held && IsLive(held):
                Work(held, step.Option);
                break;
            case 6:
                machine.Time.Advance(TimeSpan.FromMinutes(step.Option * 4));
                await (machine.ClockMoved?.Invoke(machine.Time.GetUtcNow()) ?? Task.CompletedTask);
                break;
            case 14:
                machine.Wall.Leap(TimeSpan.FromDays(step.Option < 3 ? 1 : -1));
                break;
            case 7 when Pick(step) is { } held:
                await RenewAsync(held);
                break;
            case 8:
                await KillAsync(step.Client);
                break;
            case 9:
                await CrashAsync(step);
                break;
            case 10:
                await client.Pool.MaintainAsync();
                break;
            case 11 when _former.FindLast(former => former.Client == client) is { } former:
                await FormerIsRefusedAsync(former.Lease);
                break;
            case 12:
                await PauseAsync(client, step.Option < 2);
                break;
            case 13 when Free(step.Pick % Slots):
                machine.Slot(step.Pick % Slots).Damage(FindingIds.LockStale, (RepairLevel)(step.Option % 3));
                break;
        }

        await CheckAsync();
    }

    /// <summary>When a duration lease that begins now ends, by the time that nobody can set.</summary>
    private DateTimeOffset FullTerm => machine.Time.GetUtcNow() + Duration;

    /// <summary>In the end all that nobody holds becomes ready in one pass.</summary>
    public async Task EndAsync()
    {
        foreach (Held held in _held.ToList())
        {
            await ReleaseAsync(held, ReleaseMode.Rescue);
        }

        await _clients[0].Pool.MaintainAsync();
        for (int slot = 0; slot < Slots; slot++)
        {
            await machine.ShouldBeReadyAsync(slot);
        }
    }

    public ValueTask DisposeAsync() => machine.DisposeAsync();

    private static FakeProcess Start(FakeMachine machine) => machine.Start(options => options.Slots = Slots);

    private async Task ClaimAsync(FakeProcess client, Step step)
    {
        string key = $"K-{step.Pick}";
        LeaseOwner? owner = step.Option % 2 == 0 ? null : LeaseOwner.ForDuration(Duration);
        List<Held> live = [.. _held.Where(IsLive)];
        ClaimResult result = await client.Pool.TryClaimAsync(new ClaimRequest { Key = key, Branch = step.Option < 3 ? $"cr/{key}" : null, Owner = owner });
        bool keyLives = live.Exists(held => held.Lease.Key == key);
        if (result.Refusal is { } refusal)
        {
            RefusalReason expected = _paused ? RefusalReason.Paused : keyLives ? RefusalReason.KeyHeld : RefusalReason.Exhausted;
            refusal.Reason.Should().Be(expected, refusal.Message);
            if (expected == RefusalReason.Exhausted)
            {
                live.Should().HaveCount(Slots, "a slot that nobody holds is given: {0}", refusal.Message);
            }

            return;
        }

        SlotLease lease = result.Lease!;
        _paused.Should().BeFalse();
        keyLives.Should().BeFalse("one key has one lease");
        live.Should().NotContain(held => held.Lease.Slot == lease.Slot, "one slot has one lease");
        ScriptedSlot slot = machine.Git.Slot(lease.Slot);
        slot.Should().Match<ScriptedSlot>(ready => ready.Head == machine.Base && ready.Branch == lease.Branch && ready.Files.Count == 0);

        // Those whose slot or key was taken were dead.
        foreach (Held gone in _held.Where(held => held.Lease.Slot == lease.Slot || held.Lease.Key == key).ToList())
        {
            End(gone);
        }

        _held.Add(new Held(lease, client, owner is null ? null : FullTerm));
        machine.Git.ExpectDiscard.Remove(lease.Slot);
    }

    private async Task ReleaseAsync(Held held, ReleaseMode mode)
    {
        bool live = IsLive(held);
        if (mode == ReleaseMode.Discard)
        {
            machine.Git.ExpectDiscard.Add(held.Lease.Slot);
        }

        try
        {
            await held.Lease.ReleaseAsync(mode);
        }
        catch (LeaseLostException) when (!live)
        {
            // Dead, and reclaimed meanwhile by a pass.
        }

        machine.Git.ExpectDiscard.Remove(held.Lease.Slot);
        End(held);
    }

    private async Task RenewAsync(Held held)
    {
        bool live = IsLive(held);
        try
        {
            await held.Lease.RenewAsync();
            held.Ends = held.Ends is null ? null : FullTerm;
        }
        catch (LeaseLostException) when (!live)
        {
            End(held);
        }
    }

    /// <summary>Kills a client between two operations; its leases that hang on it are dead, its others live on.</summary>
    private async Task KillAsync(int number)
    {
        FakeProcess dead = _clients[number];
        await machine.KillAsync(dead);
        _clients[number] = Start(machine);

        // Nobody has the objects of a dead process; what it held by a duration can be attached to by the token.
        foreach (Held held in _held.Where(held => held.Client == dead).ToList())
        {
            _held.Remove(held);
            if (held.Ends is not null && await _clients[number].Pool.TryAttachAsync(held.Lease.Token) is { } attached)
            {
                _held.Add(held with { Lease = attached, Client = _clients[number] });
            }
        }
    }

    /// <summary>Kills a client in the middle of a claim or a release, at some call of git.</summary>
    private async Task CrashAsync(Step step)
    {
        GitVerb verb = (GitVerb)((int)GitVerb.Probe + (step.Option % 6));
        Held? releasing = step.Pick % 2 == 0 ? null : Pick(step);
        int client = releasing is null ? step.Client : _clients.IndexOf(releasing.Client);
        machine.Git.At(verb, 1).Fail(() => new KilledException());
        try
        {
            await (releasing is null ? ClaimAsync(_clients[client], step) : ReleaseAsync(releasing, ReleaseMode.Rescue));
        }
        catch (KilledException)
        {
            machine.Git.ClearScripts();
            PoolState state = await machine.StateAsync();
            foreach (Held gone in _held.Where(held => !state.Slots.Any(record => record.Epoch == held.Lease.Epoch && record.Slot == held.Lease.Slot)).ToList())
            {
                End(gone);
            }

            await KillAsync(client);
        }

        machine.Git.ClearScripts();
    }

    private async Task PauseAsync(FakeProcess client, bool pause)
    {
        _paused = pause;
        await (pause ? client.Operator.PauseAsync("model") : client.Operator.ResumeAsync());
    }

    private static async Task FormerIsRefusedAsync(SlotLease former)
    {
        await former.Awaiting(lease => lease.ReleaseAsync().AsTask()).Should().ThrowAsync<LeaseLostException>();
        await former.Awaiting(lease => lease.RenewAsync().AsTask()).Should().ThrowAsync<LeaseLostException>();
    }

    private void Work(Held held, int option)
    {
        ScriptedSlot slot = machine.Git.Slot(held.Lease.Slot);
        slot.Write($"f{_files++}");
        if (option % 3 == 0)
        {
            slot.Commit();
        }

        held.Work.Clear();
        held.Work.AddRange(slot.Files);
    }

    /// <summary>What must be true after every step.</summary>
    private async Task CheckAsync()
    {
        machine.Git.Violations.Should().BeEmpty();
        PoolState state = await machine.StateAsync();
        state.Slots.Where(record => record.Lease is not null).Select(record => record.Lease!.Key).Should().OnlyHaveUniqueItems();
        foreach (Held held in _held.Where(IsLive))
        {
            SlotRecord record = state.Slots.Single(slot => slot.Slot == held.Lease.Slot);
            record.State.Should().Be(SlotState.Leased, "{0} holds it", held.Lease.Key);
            record.Epoch.Should().Be(held.Lease.Epoch);
            record.Lease!.Key.Should().Be(held.Lease.Key);
            machine.Git.Slot(record.Slot).Files.Should().Equal(held.Work, "nobody touches a live holder's files");
        }
    }

    private bool IsLive(Held held) => held.Ends is null || held.Ends > machine.Time.GetUtcNow();

    private bool Free(int slot) => machine.Slot(slot).Exists && _held.TrueForAll(held => held.Lease.Slot != $"slot-{slot}");

    private Held? Pick(Step step) => _held.Count == 0 ? null : _held[step.Pick % _held.Count];

    private void End(Held held)
    {
        _held.Remove(held);
        _former.Add(held);
    }

    /// <summary>A lease that a client was given and has not given back.</summary>
    private sealed record Held(SlotLease Lease, FakeProcess Client, DateTimeOffset? InitialEnd)
    {
        /// <summary>When it ends, if it is held for a time; null: it lives as long as its client.</summary>
        public DateTimeOffset? Ends { get; set; } = InitialEnd;

        public List<string> Work { get; init; } = [];
    }

    private sealed class KilledException : Exception;
}
