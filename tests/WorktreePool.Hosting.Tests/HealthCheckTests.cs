using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Time.Testing;
using WorktreePool.DependencyInjection;
using WorktreePool.Testing;

namespace WorktreePool.Hosting.Tests;

/// <summary>What makes a pool degraded.</summary>
public sealed class HealthCheckTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly ScriptedGitBackend _git = new();
    private readonly ServiceProvider _services;

    public HealthCheckTests()
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<TimeProvider>(_time);
        services.AddWorktreePool("p", options => (options.RepositoryPath, options.PoolDirectory, options.Slots) = ("/nowhere/repository", "/nowhere/pool", 2)).UseScriptedGit(_git).UseInMemory();
        services.AddHealthChecks().AddWorktreePool("p", oldestBase: TimeSpan.FromMinutes(10));
        _services = services.BuildServiceProvider();
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private IWorktreePool Pool => _services.GetRequiredKeyedService<IWorktreePool>("p");

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    [Fact]
    public async Task A_pool_that_is_kept_is_healthy()
    {
        await Pool.MaintainAsync(Token);
        (await CheckAsync()).Should().Match<HealthReportEntry>(entry => entry.Status == HealthStatus.Healthy && (int)entry.Data["free"] == 2);
    }

    [Fact]
    public async Task Quarantine_exhaustion_overdue_holders_pause_and_an_old_base_degrade_it()
    {
        await Pool.MaintainAsync(Token);
        await Pool.ClaimAsync(new ClaimRequest { Key = "A", CheckInEvery = TimeSpan.FromMinutes(1) }, Token);
        (await CheckAsync()).Status.Should().Be(HealthStatus.Healthy);

        _git.Slot("slot-1").Damage(FindingIds.NotWritable);
        _git.At(GitVerb.Repair, slot: "slot-1").Fail("read-only");
        await Pool.MaintainAsync(Token);
        (await CheckAsync()).Description.Should().Contain("1 of 2 slots are quarantined").And.Contain("no slot is free");

        _time.Advance(TimeSpan.FromMinutes(11));
        await _services.GetRequiredKeyedService<IPoolOperator>("p").PauseAsync("deploy", Token);
        HealthReportEntry entry = await CheckAsync();
        entry.Status.Should().Be(HealthStatus.Degraded);
        entry.Description.Should().Contain("slot-0: the holder has not checked in").And.Contain("last fetched 660 s ago").And.Contain("paused: deploy");
    }

    [Fact]
    public async Task A_pool_that_was_never_fetched_is_old()
    {
        await (await Pool.ClaimAsync(new ClaimRequest { Key = "A" }, Token)).ReleaseAsync(cancellationToken: Token);
        (await CheckAsync()).Description.Should().Contain("never fetched");
    }

    [Fact]
    public async Task A_pool_whose_repository_is_gone_is_unhealthy()
    {
        _git.At(GitVerb.Inspect).Fail("there is no repository");
        (await CheckAsync()).Should().Match<HealthReportEntry>(entry => entry.Status == HealthStatus.Unhealthy && entry.Description!.Contains("no repository"));
    }

    private async Task<HealthReportEntry> CheckAsync() => (await _services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Token)).Entries["worktree-pool-p"];
}
