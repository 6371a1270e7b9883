using Microsoft.Extensions.DependencyInjection;

namespace WorktreePool.Process.Tests.Waiting;

/// <summary>A process that waits for a slot gets it, however quickly another one claims again what it has just released.</summary>
public sealed class StarvationTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int Waits = 4;

    private readonly Sandbox _sandbox = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await _sandbox.InitAsync(1);

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Fact]
    public async Task A_process_that_claims_again_at_once_leaves_the_slot_to_one_that_waits()
    {
        ServiceProvider services = _sandbox.Open(options => options.Slots = 1);
        IWorktreePool greedy = services.GetRequiredKeyedService<IWorktreePool>("test");
        using var done = CancellationTokenSource.CreateLinkedTokenSource(Token);
        int grants = 0;
        Task hog = Task.Run(
            async () =>
            {
                while (!done.IsCancellationRequested)
                {
                    await using SlotLease lease = await greedy.ClaimAsync(new ClaimRequest { Key = "GREEDY" }, Token);
                    Interlocked.Increment(ref grants);
                }
            },
            Token);
        List<int> missed = [];
        for (int wait = 0; wait < Waits; wait++)
        {
            using System.Diagnostics.Process waiting = _sandbox.Start("run", "--key", "PATIENT", "--wait", "55s", "--", "true");
            await Signal.WhenWaitingAsync(waiting);
            int before = Volatile.Read(ref grants);
            await waiting.WaitForExitAsync(Token);
            waiting.ExitCode.Should().Be(0, await waiting.StandardError.ReadToEndAsync(Token));
            missed.Add(-before);
        }

        await done.CancelAsync();
        await hog;

        // By the history, which is in the order of the grants: how many the other one had, from when this one began to wait until it was served.
        List<string> claimed = [.. (await services.GetRequiredKeyedService<IPoolOperator>("test").GetHistoryAsync(new HistoryQuery(Limit: 100_000), Token))
            .Reverse().Where(entry => entry.Event == HistoryEvent.Claimed).Select(entry => entry.Key!)];
        for (int wait = 0, at = -1; wait < Waits; wait++)
        {
            at = claimed.IndexOf("PATIENT", at + 1);
            missed[wait] += claimed.Take(at).Count(key => key == "GREEDY");
        }

        output.WriteLine($"while it waited the other one was served so often: {string.Join(", ", missed)}; {grants} in all");
        missed.Should().OnlyContain(count => count <= 20);
    }
}
