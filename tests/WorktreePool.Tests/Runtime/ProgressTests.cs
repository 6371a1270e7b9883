namespace WorktreePool.Tests.Runtime;

/// <summary>Whoever waits for long work is told how far it has come.</summary>
public sealed class ProgressTests : RuntimeTest
{
    [Fact]
    public async Task Making_growing_and_shrinking_a_pool_count_slots_to_the_end()
    {
        // Several slots are made at the same time, in no order.
        Steps made = await StepsAsync(4);
        made.Select(step => step.Split(' ')[2]).Should().BeEquivalentTo("slot-0", "slot-1", "slot-2", "slot-3", "");
        made[0].Should().StartWith("Preparing 0/4 slot-");
        made[^1].Should().Be("Preparing 4/4 ");
        (await StepsAsync(2)).Should().Equal("Removing 0/2 slot-2", "Removing 1/2 slot-3", "Preparing 0/2 slot-0", "Preparing 1/2 slot-1", "Preparing 2/2 ");
    }

    [Fact]
    public async Task An_examination_counts_slots_to_the_end()
    {
        FakeProcess process = Machine.Start();
        await process.Operator.InitializeAsync(Token);
        var steps = new Steps();

        await process.Operator.ExamineAsync(fix: true, Token, steps);

        steps.Should().Equal("Examining 0/2 slot-0", "Examining 1/2 slot-1", "Examining 2/2 ");
    }

    private async Task<Steps> StepsAsync(int slots)
    {
        var steps = new Steps();
        await Machine.Start(options => options.Slots = slots).Operator.InitializeAsync(Token, steps);
        return steps;
    }

    /// <summary>What was reported, in order; unlike <see cref="Progress{T}"/> at once.</summary>
    private sealed class Steps : List<string>, IProgress<PoolProgress>
    {
        public void Report(PoolProgress value) => Add($"{value.Phase} {value.Done}/{value.Total} {value.Subject}");
    }
}
