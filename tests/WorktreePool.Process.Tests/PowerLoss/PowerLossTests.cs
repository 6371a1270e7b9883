using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;

namespace WorktreePool.Process.Tests.PowerLoss;

/// <summary>
/// State files that a power loss truncated, filled with zeros, put back to their previous version or took away. What can be proved is restored, the
/// rest counts as held: whatever happens, a slot is never handed out twice while its owner lives, and what nobody holds is claimed without a human.
/// </summary>
public sealed class PowerLossTests : IAsyncLifetime
{
    private readonly Sandbox _sandbox = new();
    private readonly System.Diagnostics.Process _owner = System.Diagnostics.Process.Start("sleep", "600");

    public static TheoryData<string, bool, string> Restorable
    {
        get
        {
            var cases = new TheoryData<string, bool, string>();
            foreach (string damage in new[] { "truncated", "zeroed", "reverted", "missing" })
            {
                foreach (string owner in new[] { "free", "live", "dead" })
                {
                    cases.Add(damage, false, owner);
                    cases.Add(damage, true, owner);
                }
            }

            return cases;
        }
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string State => Path.Combine(_sandbox.PoolDirectory, "state");

    private string Copies => Path.Combine(_sandbox.PoolDirectory, "state-copy");

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        _owner.Kill();
        _owner.Dispose();
        await _sandbox.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Restorable))]
    public async Task What_the_copy_proves_is_as_it_was(string damage, bool all, string owner)
    {
        SlotLease? lease = await ReadyAsync(owner);
        Damage(damage, all ? Directory.GetFiles(State, "*.json") : [Path.Combine(State, "slot-0.json")]);

        IWorktreePool next = Open();
        ClaimResult other = await next.TryClaimAsync(new ClaimRequest { Key = "MC-2" }, Token);
        if (owner == "live")
        {
            other.Refusal!.Reason.Should().Be(RefusalReason.Exhausted, "its owner lives");
            (await next.TryClaimAsync(new ClaimRequest { Key = "MC-1" }, Token)).Refusal!.Reason.Should().Be(RefusalReason.KeyHeld);
            await lease!.RenewAsync(Token);
            lease.LostToken.IsCancellationRequested.Should().BeFalse();
            (await lease.ReleaseAsync(cancellationToken: Token)).Rescued.Should().ContainSingle();
        }
        else
        {
            other.Refusal.Should().BeNull();
            other.Lease!.Rescued.Should().HaveCount(owner == "dead" ? 1 : 0);
            await other.Lease.ReleaseAsync(cancellationToken: Token);
        }

        _sandbox.ShouldBeReady(0);
        IReadOnlyList<HistoryEntry> history = await Operator().GetHistoryAsync(new HistoryQuery(), Token);
        history.Should().Contain(entry => entry.Event == HistoryEvent.Restored && entry.Slot == "slot-0" && entry.Detail!.Contains("slot-0.json"), "it says so");
    }

    [Theory]
    [InlineData("truncated", "free")]
    [InlineData("truncated", "dead")]
    [InlineData("zeroed", "live")]
    [InlineData("missing", "free")]
    [InlineData("missing", "live")]
    [InlineData("missing", "dead")]
    public async Task What_nothing_proves_counts_as_held_until_a_person_decides(string damage, string owner)
    {
        SlotLease? lease = await ReadyAsync(owner, slots: 2);
        Damage(damage, [Path.Combine(State, "slot-0.json"), Path.Combine(Copies, "slot-0.journal")]);

        (int _, System.Text.Json.JsonElement status) = await _sandbox.JsonAsync("status");
        System.Text.Json.JsonElement slot = status.GetProperty("slots")[0];
        slot.GetProperty("state").GetString().Should().Be("leased");
        slot.GetProperty("key").GetString().Should().Be("lost:slot-0");
        slot.GetProperty("meta").GetProperty("lost").GetString().Should().ContainAll("damaged", "worktree-pool release --key lost:slot-0");
        slot.GetProperty("lost").GetBoolean().Should().BeTrue();
        (await _sandbox.RunAsync("status")).Output.Should().Contain("worktree-pool release --key lost:slot-0");
        (int unwell, System.Text.Json.JsonElement doctor) = await _sandbox.JsonAsync("doctor");
        unwell.Should().Be(1, "a person has to look");
        doctor.GetProperty("slots")[0].GetProperty("findings")[0].GetProperty("id").GetString().Should().Be("record-lost");
        IWorktreePool next = Open(2);
        SlotLease elsewhere = (await next.TryClaimAsync(new ClaimRequest { Key = "MC-2" }, Token)).Lease!;
        elsewhere.Slot.Should().Be("slot-1", "the other slots go on");
        ClaimRefusal refusal = (await next.TryClaimAsync(new ClaimRequest { Key = "MC-3" }, Token)).Refusal!;
        refusal.Reason.Should().Be(RefusalReason.Exhausted);
        refusal.Message.Should().Contain("lost:slot-0");
        (await next.MaintainAsync(Token)).Reclaimed.Should().BeEmpty();
        if (lease is not null)
        {
            await lease.Awaiting(former => former.ReleaseAsync(cancellationToken: Token).AsTask()).Should().ThrowAsync<LeaseLostException>();
        }

        (int code, string _, string error) = await _sandbox.RunAsync("release", "--key", "lost:slot-0");

        code.Should().Be(0, error);
        _sandbox.ShouldBeReady(0);
        (await Operator().Rescues.ListAsync(Token)).Should().HaveCount(owner == "free" ? 0 : 1, "the work in it is kept");
        (await Open(2).TryClaimAsync(new ClaimRequest { Key = "MC-3" }, Token)).Lease!.Slot.Should().Be("slot-0");
    }

    [Fact]
    public async Task Slots_of_which_no_record_is_left_are_nobodys_to_take()
    {
        await ReadyAsync("live");
        foreach (string directory in new[] { State, Copies })
        {
            Directory.GetFiles(directory, "*.j*").ToList().ForEach(File.Delete);
        }

        (int code, string _, string error) = await _sandbox.RunAsync("claim", "--key", "MC-2", "--wait", "0s");
        code.Should().Be(75, "its lock file tells that the slot is this pool's");
        error.Should().Contain("lost:slot-0");

        File.Delete(Path.Combine(State, "slot-0.lock"));
        (code, _, error) = await _sandbox.RunAsync("claim", "--key", "MC-2");
        code.Should().Be(78);
        error.Should().ContainAll("slots", "is not empty", "slot-0", "Nothing was changed");
        File.ReadAllText(Path.Combine(_sandbox.Slot(0), "work.txt")).Should().Be("work\n");
    }

    [Theory]
    [InlineData("truncated")]
    [InlineData("zeroed")]
    [InlineData("missing")]
    public async Task Settings_that_are_lost_are_asked_for_and_touch_no_lease(string damage)
    {
        await ReadyAsync("live");
        string settings = Path.Combine(_sandbox.PoolDirectory, "pool.json");
        Damage(damage, [settings]);

        (int code, string _, string error) = await _sandbox.RunAsync("claim", "--key", "MC-2");
        code.Should().Be(78);
        error.Should().Contain(damage == "missing" ? "worktree-pool init" : settings);
        File.Delete(settings);
        await _sandbox.InitAsync(1);

        (await _sandbox.RunAsync("claim", "--key", "MC-2", "--wait", "0s")).Code.Should().Be(75, "the lease is as it was");
        File.ReadAllText(Path.Combine(_sandbox.Slot(0), "work.txt")).Should().Be("work\n");
        (await _sandbox.RunAsync("release", "--key", "MC-1")).Code.Should().Be(0);
        _sandbox.ShouldBeReady(0);
    }

    /// <summary>A pool whose first slot is free, or held with work in it by an owner that lives or is dead.</summary>
    private async Task<SlotLease?> ReadyAsync(string owner, int slots = 1)
    {
        await _sandbox.InitAsync(slots);
        if (owner == "free")
        {
            return null;
        }

        IProcessTable processes = _sandbox.Open().GetRequiredService<IProcessTable>();
        SlotLease lease = await Open(slots).ClaimAsync(
            new ClaimRequest { Key = "MC-1", Branch = "cr/mc-1", Owner = LeaseOwner.ForProcess(processes.Find(_owner.Id)!) }, Token);
        await File.WriteAllTextAsync(Path.Combine(lease.Path, "work.txt"), "work\n", Token);
        if (owner == "dead")
        {
            _owner.Kill();
            await _owner.WaitForExitAsync(Token);
        }

        return lease;
    }

    private static void Damage(string damage, IEnumerable<string> files)
    {
        foreach (string file in files)
        {
            byte[] content = File.ReadAllBytes(file);
            switch (damage)
            {
                case "truncated":
                    // Of what it says, and not of the blanks after that.
                    File.WriteAllBytes(file, content[..(content.AsSpan().TrimEnd(" \n"u8).Length / 2)]);
                    break;
                case "zeroed":
                    File.WriteAllBytes(file, new byte[content.Length]);
                    break;
                case "missing":
                    File.Delete(file);
                    break;
                case "reverted":
                    File.WriteAllText(file, Previous(content));
                    break;
            }
        }
    }

    /// <summary>The version before: that of a leased slot says that a claim is under way, that of a free one that it is being cleaned.</summary>
    private static string Previous(byte[] content)
    {
        JsonObject record = JsonNode.Parse(content)!.AsObject();

        // Whole, as its writer left it: only the check would tell that it was made here.
        record.Remove("check");
        if ((long)record["version"]! > 1)
        {
            record["version"] = (long)record["version"]! - 1;
        }

        if (record["state"] is { } state)
        {
            record["state"] = (string)state! == "leased" ? "preparing" : "cleaning";
        }

        return record.ToJsonString();
    }

    private IWorktreePool Open(int slots = 1) => _sandbox.Pool(options => options.Slots = slots);

    private IPoolOperator Operator() => _sandbox.Open(options => options.Slots = 1).GetRequiredKeyedService<IPoolOperator>("test");
}
