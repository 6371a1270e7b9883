using WorktreePool.Testing;

namespace WorktreePool.Tests.Runtime;

/// <summary>Who is found in a slot that nobody holds.</summary>
public sealed class LeftoverTests : RuntimeTest
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_child_that_has_not_become_its_program_yet_is_looked_at_again(bool isStarting)
    {
        FakeProcess process = Machine.Start(options => options.Slots = 1);
        await (await ClaimAsync(process, "first")).ReleaseAsync(cancellationToken: Token);
        Git.Slot("slot-0").Write("stray");
        int looks = 0;
        Machine.Working = _ => ++looks < 3 ? [new WorkingProcess(FakeMachine.Identity(7), "child", IsMarked: false) { IsStarting = isStarting }] : [];

        Task<ClaimResult> claim = process.Pool.TryClaimAsync(new ClaimRequest { Key = "second" }, Token).AsTask();
        await UntilAsync(() => claim.IsCompleted);

        ClaimResult result = await claim;
        (result.Lease is not null).Should().Be(isStarting, result.Refusal?.ToString());
        looks.Should().Be(isStarting ? 3 : 1);
        Git.Violations.Should().BeEmpty();
    }

    [Fact]
    public async Task One_that_stays_as_it_is_is_told_after_a_second()
    {
        FakeProcess process = Machine.Start(options => options.Slots = 1);
        await (await ClaimAsync(process, "first")).ReleaseAsync(cancellationToken: Token);
        Git.Slot("slot-0").Write("stray");
        Machine.Working = _ => [new WorkingProcess(FakeMachine.Identity(7), "child", IsMarked: false) { IsStarting = true }];
        DateTimeOffset begun = Machine.Time.GetUtcNow();

        Task<ClaimResult> claim = process.Pool.TryClaimAsync(new ClaimRequest { Key = "second" }, Token).AsTask();
        await UntilAsync(() => claim.IsCompleted);

        (await claim).Refusal!.ToString().Should().Contain("child (7) still works in slot-0");
        (Machine.Time.GetUtcNow() - begun).Should().BeGreaterThanOrEqualTo(TimeSpan.FromSeconds(1));
    }
}
