using WorktreePool.Testing;

namespace WorktreePool.Tests.Runtime;

/// <summary>What the tests of the runtime share.</summary>
public abstract class RuntimeTest : IAsyncLifetime
{
    internal FakeMachine Machine { get; } = new();

    internal ScriptedGitBackend Git => Machine.Git;

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await Machine.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    internal static Task<SlotLease> ClaimAsync(FakeProcess process, string key, string? branch = null, LeaseOwner? owner = null) =>
        process.Pool.ClaimAsync(new ClaimRequest { Key = key, Branch = branch, Owner = owner }, Token).AsTask().WaitAsync(TimeSpan.FromSeconds(30), Token);

    internal static async Task<ClaimRefusal> RefusalAsync(FakeProcess process, string key) =>
        (await process.Pool.TryClaimAsync(new ClaimRequest { Key = key }, Token)).Refusal!;

    /// <summary>Completes when a lease is told that it is lost, which takes a moment of the test's time.</summary>
    internal async Task LostAsync(SlotLease lease)
    {
        CancellationToken lost = lease.LostToken;
        await UntilAsync(() => lost.IsCancellationRequested);
    }

    /// <summary>Moves the test's time until something has happened.</summary>
    internal async Task UntilAsync(Func<bool> happened, TimeSpan? step = null)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        while (!happened())
        {
            patience.Token.ThrowIfCancellationRequested();
            Machine.Time.Advance(step ?? TimeSpan.FromMilliseconds(10));
            await Task.Delay(1, patience.Token);
        }
    }

    internal IEnumerable<string> CallsOn(int slot, params GitVerb[] verbs) =>
        Git.Calls.Where(call => call.Slot == $"slot-{slot}" && verbs.Contains(call.Verb)).Select(call => call.Argument?.Split(' ')[0] ?? call.Verb.ToString());
}
