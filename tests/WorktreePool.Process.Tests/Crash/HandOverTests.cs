using System.Diagnostics;
using System.Globalization;

namespace WorktreePool.Process.Tests.Crash;

/// <summary>
/// Several processes whose claims are cancelled at any of their instants, some of which are killed, too: a slot that is being handed over when its
/// claim is cancelled comes back, and no lease stays that nobody knows of.
/// </summary>
public sealed class HandOverTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int Claims = 25;

    private readonly Sandbox _sandbox = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Fact]
    public async Task A_slot_whose_hand_over_is_cancelled_comes_back_though_others_are_killed_at_theirs()
    {
        Directory.CreateDirectory(Path.Combine(_sandbox.Root, "marks"));
        await _sandbox.InitAsync(2);

        // Their leases last for an hour: one that stayed behind would be seen.
        Task<(int Code, string Output)>[] cancelling = [.. Enumerable.Range(1, 2).Select(seed => RunAsync(seed, killAt: null))];

        // Each is killed at a later point than the one before, until a claim's whole length was covered.
        Task<(int Code, string Output)>[] killed = [.. Enumerable.Range(0, 2).Select(async which =>
        {
            (int, string) last = default;
            for (int at = 5 + which; at < 150; at += 25)
            {
                last = await RunAsync(100 + at, at);
            }

            return last;
        })];
        (int Code, string Output)[] ends = await Task.WhenAll(cancelling.Concat(killed));
        string[][] said = [.. ends.Take(cancelling.Length).Select(end => end.Output.Split('\n'))];
        output.WriteLine(string.Join('\n', said.Select(lines => $"{lines.Count(line => line == "claimed")} claims were given, {lines.Count(line => line == "cancelled")} cancelled")));
        ends.Select(end => end.Code).Should().Equal([.. cancelling.Select(_ => 0), .. killed.Select(_ => 137)]);
        said.Should().OnlyContain(lines => lines.Contains("cancelled") && lines.Contains("claimed"));

        IWorktreePool pool = _sandbox.Pool();
        SlotLease first = (await pool.TryClaimAsync(new ClaimRequest { Key = "first" }, Token)).Lease!;
        SlotLease second = (await pool.TryClaimAsync(new ClaimRequest { Key = "second" }, Token)).Lease!;
        new[] { first?.Slot, second?.Slot }.Should().BeEquivalentTo(["slot-0", "slot-1"], "both slots are there for others at once");
        await first!.ReleaseAsync(cancellationToken: Token);
        await second!.ReleaseAsync(cancellationToken: Token);
        _sandbox.ShouldBeReady(0);
        _sandbox.ShouldBeReady(1);
        Sandbox.Git(_sandbox.Repository, "branch", "--list", "cr/*").Should().BeEmpty();
    }

    /// <summary>One process of them; its exit code, and what it said.</summary>
    private async Task<(int Code, string Output)> RunAsync(int seed, int? killAt)
    {
        string[] line = [Path.Combine(AppContext.BaseDirectory, "WorktreePool.TestHelper.dll"), "hand-over", _sandbox.Root, seed.ToString(CultureInfo.InvariantCulture), Claims.ToString(CultureInfo.InvariantCulture), killAt is null ? "true" : "false"];
        var start = new ProcessStartInfo("dotnet", line) { RedirectStandardOutput = true };
        if (killAt is { } number)
        {
            start.Environment["WORKTREE_POOL_CRASH_AT"] = $"{number} *";
        }

        using System.Diagnostics.Process process = System.Diagnostics.Process.Start(start)!;
        string said = await process.StandardOutput.ReadToEndAsync(Token);
        await process.WaitForExitAsync(Token);
        return (process.ExitCode, said);
    }
}
