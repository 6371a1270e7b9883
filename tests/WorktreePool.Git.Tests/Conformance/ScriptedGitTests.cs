using WorktreePool.Testing;

namespace WorktreePool.Git.Tests.Conformance;

/// <summary>The fake keeps to the contract where a test that uses it would rely on that; it has no files, so the suite itself cannot run on it.</summary>
public sealed class ScriptedGitTests
{
    private static readonly SlotPlace Place = new("slot-0", "/pool/slot-0", null);
    private readonly ScriptedGitBackend _git = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Main => _git.Find("refs/heads/main")!;

    [Fact]
    public async Task An_absent_or_broken_slot_is_rebuilt_not_reset()
    {
        await FluentActions.Awaiting(async () => await _git.RepairAsync(Place, Main, RepairLevel.Reset, Token)).Should().ThrowAsync<GitBackendException>();
        await _git.RepairAsync(Place, Main, RepairLevel.Rebuild, Token);
        (await _git.ProbeAsync(Place, new SlotTarget(Main), Token)).IsReady.Should().BeTrue();

        _git.Slot("slot-0").Break();
        await FluentActions.Awaiting(async () => await _git.RepairAsync(Place, Main, RepairLevel.Reset, Token)).Should().ThrowAsync<GitBackendException>();
        (await _git.ProbeAsync(Place, new SlotTarget(Main), Token)).Findings.Should().Contain(finding => finding.Id == FindingIds.GitLinkBroken);
    }

    [Fact]
    public async Task A_probe_compares_with_its_target()
    {
        await _git.RepairAsync(Place, Main, RepairLevel.Rebuild, Token);
        ScriptedSlot slot = _git.Slot("slot-0");
        slot.Checkout("ticket");
        slot.Write("notes.txt");
        slot.Commit();
        slot.Write("scratch");

        SlotProbe probe = await _git.ProbeAsync(Place, new SlotTarget(Main), Token);

        probe.Findings.Select(finding => finding.Id).Should().BeEquivalentTo([FindingIds.WrongCommit, FindingIds.OnBranch, FindingIds.Untracked]);
    }

    [Fact]
    public async Task Work_is_rescued_once_and_its_loss_is_noticed()
    {
        await _git.RepairAsync(Place, Main, RepairLevel.Rebuild, Token);
        (await _git.RescueAsync(Place, Request, Token)).Should().BeNull();
        _git.Slot("slot-0").Write("work");

        Rescue rescue = (await _git.RescueAsync(Place, Request, Token))!;
        (await _git.RescueAsync(Place, Request, Token)).Should().Be(rescue);
        await _git.RepairAsync(Place, Main, RepairLevel.Reset, Token);
        _git.Violations.Should().BeEmpty();

        _git.Slot("slot-0").Write("other");
        await _git.RepairAsync(Place, Main, RepairLevel.Reset, Token);
        _git.Violations.Should().ContainSingle().Which.Should().Contain("other");
    }

    [Fact]
    public async Task Commits_that_only_head_or_the_lease_s_branch_has_are_rescued()
    {
        await _git.RepairAsync(Place, Main, RepairLevel.Rebuild, Token);
        await _git.StartBranchAsync(Place, "ticket", Main, Token);
        _git.Slot("slot-0").Write("work");
        _git.Slot("slot-0").Commit();

        (await _git.RescueAsync(Place, Request, Token)).Should().BeNull();
        (await _git.RescueAsync(Place, Request with { Branch = "ticket" }, Token))!.Commits.Should().Be(1);
    }

    [Fact]
    public async Task A_branch_elsewhere_is_refused()
    {
        await _git.RepairAsync(Place, Main, RepairLevel.Rebuild, Token);
        _git.SetRef("refs/heads/taken", _git.NewCommit(Main));

        await FluentActions.Awaiting(async () => await _git.StartBranchAsync(Place, "taken", Main, Token)).Should().ThrowAsync<BranchExistsException>();
    }

    [Fact]
    public async Task A_script_acts_at_the_call_it_names()
    {
        var gate = new GitGate();
        _git.At(GitVerb.Resolve, call: 2).WaitAt(gate).Fail("second");

        (await _git.ResolveAsync("refs/heads/main", Token)).Should().Be(Main);
        Task<string?> second = _git.ResolveAsync("refs/heads/main", Token).AsTask();
        await gate.Reached;
        second.IsCompleted.Should().BeFalse();
        gate.Open();
        await FluentActions.Awaiting(() => second).Should().ThrowAsync<GitBackendException>().WithMessage("second");
        (await _git.ResolveAsync("refs/heads/main", Token)).Should().Be(Main);
        _git.Calls.Count(call => call.Verb == GitVerb.Resolve).Should().Be(3);
    }

    [Fact]
    public async Task An_interrupted_repair_leaves_a_slot_that_is_not_ready_and_can_be_repaired()
    {
        await _git.RepairAsync(Place, Main, RepairLevel.Rebuild, Token);
        _git.At(GitVerb.Repair, call: 1).Hang();
        using var cancellation = new CancellationTokenSource();
        Task repair = _git.RepairAsync(Place, Main, RepairLevel.Reset, cancellation.Token).AsTask();
        await cancellation.CancelAsync();
        await FluentActions.Awaiting(() => repair).Should().ThrowAsync<OperationCanceledException>();

        (await _git.ProbeAsync(Place, new SlotTarget(Main), Token)).IsReady.Should().BeFalse();
        await _git.RepairAsync(Place, Main, RepairLevel.Reset, Token);
        (await _git.ProbeAsync(Place, new SlotTarget(Main), Token)).IsReady.Should().BeTrue();
    }

    [Fact]
    public async Task Two_changes_of_a_slot_at_once_are_noticed()
    {
        var gate = new GitGate();
        _git.At(GitVerb.Repair, call: 1).WaitAt(gate);
        Task first = _git.RepairAsync(Place, Main, RepairLevel.Rebuild, Token).AsTask();
        await gate.Reached;
        await _git.RepairAsync(Place, Main, RepairLevel.Rebuild, Token);
        gate.Open();
        await first;

        _git.Violations.Should().ContainSingle();
    }

    private RescueRequest Request => new("MC-1", 1, null, Main, "release", DateTimeOffset.UnixEpoch);
}
