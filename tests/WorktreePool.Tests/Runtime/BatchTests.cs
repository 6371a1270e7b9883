using WorktreePool.Testing;

namespace WorktreePool.Tests.Runtime;

/// <summary>Many claims at once: order, side by side, and nothing lost by the failure of one.</summary>
public sealed class BatchTests : RuntimeTest
{
    [Fact]
    public async Task A_batch_takes_what_fits_in_order_and_says_of_the_rest_why_not()
    {
        BatchClaim batch = await Machine.Start().Pool.ClaimWhatFitsAsync(Requests("A", "B", "B", "C"), Token);

        batch.Results.Select(result => result.Lease?.Key).Should().Equal("A", "B", null, null);
        batch.Results.Select(result => result.Refusal?.Reason).Should().Equal(null, null, RefusalReason.KeyHeld, RefusalReason.Exhausted);
    }

    [Fact]
    public async Task A_paused_pool_refuses_each()
    {
        FakeProcess process = Machine.Start();
        await process.Operator.PauseAsync("deploy", Token);

        BatchClaim batch = await process.Pool.ClaimWhatFitsAsync(Requests("A", "B"), Token);

        batch.Results.Should().OnlyContain(result => result.Refusal!.Reason == RefusalReason.Paused && result.Refusal.Message.Contains("deploy"));
    }

    [Fact]
    public async Task What_fails_of_one_claim_is_its_result_and_the_others_keep_their_leases()
    {
        FakeProcess process = await WithFreeSlotsAsync(3);
        Git.SetRef("refs/heads/mine", Machine.Base);

        BatchClaim batch = await process.Pool.ClaimWhatFitsAsync(
            [new ClaimRequest { Key = "A" }, new ClaimRequest { Key = "B", Branch = "mine" }, new ClaimRequest { Key = "" }, new ClaimRequest { Key = "D" }], Token);

        batch.Results.Select(result => result.Lease?.Key).Should().Equal("A", null, null, "D");
        batch.Results[1].Failure.Should().BeOfType<BranchExistsException>();
        batch.Results[2].Failure.Should().BeOfType<ArgumentException>().Which.Message.Should().Contain("key is empty");
        (await Machine.StateAsync()).Slots.Count(slot => slot.State == SlotState.Leased).Should().Be(2);
    }

    [Fact]
    public async Task A_slot_that_cannot_be_made_ready_costs_no_claim_its_slot_while_another_is_there()
    {
        FakeProcess process = await WithFreeSlotsAsync(3);
        Machine.Slot(0).Damage(FindingIds.NotWritable);
        Git.At(GitVerb.Repair, slot: "slot-0").Fail("read-only");

        BatchClaim batch = await process.Pool.ClaimWhatFitsAsync(Requests("A", "B"), Token);

        batch.Results.Select(result => result.Lease?.Slot).Should().BeEquivalentTo(["slot-1", "slot-2"]);
        (await Machine.RecordAsync(0)).State.Should().Be(SlotState.Quarantined);
    }

    [Fact]
    public async Task Slots_are_prepared_side_by_side_as_many_as_the_setting_says_and_the_first_requests_have_the_slots()
    {
        FakeProcess process = await WithFreeSlotsAsync(3, options => options.BatchParallelism = 2);
        GitGate[] gates = [new(), new(), new()];
        for (int slot = 0; slot < 3; slot++)
        {
            Git.At(GitVerb.Probe, slot: $"slot-{slot}").WaitAt(gates[slot]);
        }

        Task<BatchClaim> batch = process.Pool.ClaimWhatFitsAsync(Requests("A", "B", "C", "D"), Token).AsTask();

        await gates[0].Reached.WaitAsync(Token);
        await gates[1].Reached.WaitAsync(Token);
        gates[2].Reached.IsCompleted.Should().BeFalse("two are prepared at once");
        gates[1].Open();
        await gates[2].Reached.WaitAsync(Token);
        gates[2].Open();
        gates[0].Open();
        (await batch).Results.Select(result => result.Lease?.Slot).Should().Equal("slot-0", "slot-1", "slot-2", null);
    }

    [Fact]
    public async Task Results_come_as_they_are_ready()
    {
        FakeProcess process = await WithFreeSlotsAsync(2);
        var slow = new GitGate();
        Git.At(GitVerb.Probe, slot: "slot-0").WaitAt(slow);
        List<string> seen = [];

        await foreach (BatchClaimItem item in process.Pool.StreamWhatFitsAsync(Requests("A", "B", "C"), Token))
        {
            seen.Add($"{item.Index} {item.Request.Key} {item.Result.Lease?.Slot ?? item.Result.Refusal!.Reason.ToString()}");
            slow.Open();
        }

        seen.Should().Equal("1 B slot-1", "0 A slot-0", "2 C Exhausted");
    }

    [Fact]
    public async Task A_slot_that_one_claim_cannot_use_in_the_end_is_another_claims()
    {
        FakeProcess process = await WithFreeSlotsAsync(1);
        Git.At(GitVerb.StartBranch, 1).Do(() => Git.SetRef("refs/heads/mine", Git.NewCommit(null)));

        BatchClaim batch = await process.Pool.ClaimWhatFitsAsync([new ClaimRequest { Key = "A", Branch = "mine" }, .. Requests("B", "C")], Token);

        batch.Results.Select(result => result.Lease?.Key).Should().Equal(null, "B", null);
        batch.Results[2].Refusal!.Message.Should().Contain("\"B\"", "the refusal tells of the pool as the batch leaves it");
    }

    [Fact]
    public async Task A_reader_that_leaves_early_has_what_it_was_given_and_the_rest_goes_back()
    {
        FakeProcess process = await WithFreeSlotsAsync(3);
        SlotLease? given = null;

        await foreach (BatchClaimItem item in process.Pool.StreamWhatFitsAsync(Requests("A", "B", "C"), Token))
        {
            given = item.Result.Lease;
            break;
        }

        (await Machine.StateAsync()).Slots.Where(slot => slot.State != SlotState.Free).Select(slot => slot.Lease?.Key).Should().Equal(given!.Key);
        given.LostToken.IsCancellationRequested.Should().BeFalse();
    }

    [Fact]
    public async Task A_batch_that_is_cancelled_keeps_nothing_and_no_lease_of_before_is_lost()
    {
        FakeProcess process = await WithFreeSlotsAsync(3);
        SlotLease before = await ClaimAsync(process, "old");
        var never = new GitGate();
        Git.At(GitVerb.Probe, slot: "slot-2").WaitAt(never);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Token);
        Task<BatchClaim> batch = process.Pool.ClaimWhatFitsAsync([new ClaimRequest { Key = "old", Token = before.Token }, .. Requests("A", "B")], cancel.Token).AsTask();
        await never.Reached.WaitAsync(Token);

        await cancel.CancelAsync();

        await batch.Awaiting(b => b).Should().ThrowAsync<OperationCanceledException>();
        (await Machine.StateAsync()).Slots.Where(slot => slot.State != SlotState.Free).Select(slot => slot.Lease?.Key).Should().Equal("old");
        before.LostToken.IsCancellationRequested.Should().BeFalse();
    }

    [Fact]
    public async Task The_whole_batch_ends_by_the_claim_timeout()
    {
        FakeProcess process = await WithFreeSlotsAsync(2, options => (options.BatchParallelism, options.ClaimTimeout) = (1, TimeSpan.FromSeconds(10)));
        Git.At(GitVerb.Probe, slot: "slot-0").Hang();
        long start = Machine.Time.GetTimestamp();
        Task<BatchClaim> batch = process.Pool.ClaimWhatFitsAsync(Requests("A", "B", "C"), Token).AsTask();

        // In small steps: on a busy machine the answer comes some of them late.
        await UntilAsync(() => batch.IsCompleted, TimeSpan.FromMilliseconds(50));

        Machine.Time.GetElapsedTime(start).Should().BeLessThan(TimeSpan.FromSeconds(13));
        (await batch).Results.Select(result => result.Refusal?.Reason).Should().Equal(RefusalReason.Timeout, RefusalReason.Timeout, RefusalReason.Timeout);
        (await batch).Results[2].Refusal!.Counts.Total.Should().Be(2);
    }

    [Fact]
    public async Task Two_batches_of_two_processes_share_the_slots_and_no_key_is_had_twice()
    {
        FakeProcess one = await WithFreeSlotsAsync(6), other = Machine.Start(options => options.Slots = 6);
        ClaimRequest[] requests = Requests([.. Enumerable.Range(0, 8).Select(number => $"K-{number}")]);

        BatchClaim[] batches = await Task.WhenAll(one.Pool.ClaimWhatFitsAsync(requests, Token).AsTask(), other.Pool.ClaimWhatFitsAsync([.. requests.Reverse()], Token).AsTask());

        SlotLease[] leases = [.. batches.SelectMany(batch => batch.Results).Select(result => result.Lease).OfType<SlotLease>()];
        leases.Should().HaveCount(6);
        leases.Select(lease => lease.Slot).Should().OnlyHaveUniqueItems();
        leases.Select(lease => lease.Key).Should().OnlyHaveUniqueItems();
    }

    private static ClaimRequest[] Requests(params string[] keys) => [.. keys.Select(key => new ClaimRequest { Key = key })];

    private async Task<FakeProcess> WithFreeSlotsAsync(int slots, Action<WorktreePoolOptions>? configure = null)
    {
        FakeProcess process = Machine.Start(options =>
        {
            options.Slots = slots;
            configure?.Invoke(options);
        });
        await process.Pool.MaintainAsync(Token);
        return process;
    }
}
