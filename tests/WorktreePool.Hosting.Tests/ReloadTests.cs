using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using WorktreePool.Testing;

namespace WorktreePool.Hosting.Tests;

/// <summary>Settings that change while the host runs: what can change counts at once, what cannot is refused, and what is wrong changes nothing.</summary>
public sealed class ReloadTests : IDisposable
{
    private readonly ChangingSettings _settings = new();
    private readonly LoggedLines _log = new();
    private readonly FakeTimeProvider _time = new();
    private readonly InMemorySlotStateStore _store = new();
    private readonly ScriptedGitBackend _git = new();
    private readonly IHost _host;

    public ReloadTests()
    {
        _settings.Set("WorktreePool:p:repositoryPath", "/nowhere/repository");
        _settings.Set("WorktreePool:p:poolDirectory", "/nowhere/pool");
        _settings.Set("WorktreePool:p:slots", "1");
        HostApplicationBuilder builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration.Sources.Add(_settings);
        builder.Logging.AddProvider(_log);
        builder.Services.AddSingleton<TimeProvider>(_time);
        builder.Services.AddWorktreePool("p", builder.Configuration).UseScriptedGit(_git).UseInMemory(_store).AddKeeper();
        _host = builder.Build();
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private IWorktreePool Pool => _host.Services.GetRequiredKeyedService<IWorktreePool>("p");

    public void Dispose() => _host.Dispose();

    [Fact]
    public async Task A_changed_time_counts_for_the_next_operation()
    {
        await using SlotLease lease = await Pool.ClaimAsync(new ClaimRequest { Key = "holder" }, Token);
        (await LimitAsync()).Should().Be("60 s");

        _settings.Change(("WorktreePool:p:claimTimeout", "5s"));

        (await LimitAsync()).Should().Be("5 s");
        _log.Lines.Should().Contain((LogLevel.Information, "Pool p: settings changed: ClaimTimeout from 1m to 5s (from changing.json)"));
    }

    [Fact]
    public async Task What_a_pool_is_made_of_stays_and_the_log_says_so()
    {
        await using SlotLease lease = await Pool.ClaimAsync(new ClaimRequest { Key = "holder" }, Token);

        _settings.Change(("WorktreePool:p:slots", "2"), ("WorktreePool:p:poolDirectory", "/elsewhere"), ("WorktreePool:p:claimTimeout", "7s"));

        (await LimitAsync()).Should().Be("7 s", "there is no second slot, and what can change has changed");
        _log.Lines.Should().Contain((LogLevel.Warning, "Pool p: Slots from 1 to 2 (from changing.json) counts after a restart only; the old value stays"))
            .And.Contain(line => line.Level == LogLevel.Warning && line.Text.Contains("PoolDirectory from /nowhere/pool to /elsewhere", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("claimTimeout", "soon", "WorktreePool:p:claimTimeout is \"soon\" (from changing.json); that is no duration")]
    [InlineData("claimTimout", "5s", "WorktreePool:p:claimTimout (from changing.json) is no setting")]
    [InlineData("claimTimeout", "0s", "ClaimTimeout is 0 s (from changing.json); it must be more than zero")]
    [InlineData("hostTaskTimeout", "50s", "ClaimTimeout is 60 s (the default) and HostTaskTimeout is 50 s (from changing.json)")]
    [InlineData("batchParallelism", "65", "BatchParallelism is 65 (from changing.json); it must be 1 to 64")]
    public async Task A_wrong_change_is_told_and_all_stays_as_it_was(string name, string value, string told)
    {
        await using SlotLease lease = await Pool.ClaimAsync(new ClaimRequest { Key = "holder" }, Token);

        _settings.Change(("WorktreePool:p:releaseTimeout", "9s"), ($"WorktreePool:p:{name}", value));

        (await LimitAsync()).Should().Be("60 s");
        _log.Lines.Should().ContainSingle(line => line.Level == LogLevel.Error).Which.Text.Should().Contain(told).And.Contain("old ones stay");
    }

    [Fact]
    public async Task A_started_host_goes_on_with_the_old_settings_too()
    {
        await _host.StartAsync(Token);
        await using SlotLease lease = await Pool.ClaimAsync(new ClaimRequest { Key = "holder" }, Token);

        // Whoever reloads is told as well, as for any options that are validated at the start.
        _settings.Invoking(settings => settings.Change(("WorktreePool:p:claimTimeout", "soon"))).Should().Throw<AggregateException>();

        (await LimitAsync()).Should().Be("60 s");
        _settings.Change(("WorktreePool:p:claimTimeout", "6s"));
        (await LimitAsync()).Should().Be("6 s");
        await _host.StopAsync(Token);
    }

    [Fact]
    public async Task What_can_change_must_go_with_what_cannot()
    {
        _settings.Set("WorktreePool:p:setUp:0:name", "npm");
        _settings.Set("WorktreePool:p:setUp:0:command:0", "npm");
        _settings.Set("WorktreePool:p:setUp:0:timeout", "50s");
        await using SlotLease lease = await Pool.ClaimAsync(new ClaimRequest { Key = "holder" }, Token);

        // Together they would be right; but the step stays as long as it was.
        _settings.Change(("WorktreePool:p:claimTimeout", "10s"), ("WorktreePool:p:setUp:0:timeout", "5s"));

        (await LimitAsync()).Should().Be("60 s");
        _log.Lines.Should().ContainSingle(line => line.Level == LogLevel.Error).Which.Text.Should().Contain("Timeouts are 50 s").And.Contain("ClaimTimeout is 10 s");
    }

    [Fact]
    public async Task The_keeper_takes_a_new_interval_while_it_rests()
    {
        _settings.Set("WorktreePool:p:keeper:interval", "10h");
        await using IAsyncEnumerator<MaintenanceReport> passes = Pool.KeepAsync(cancellationToken: Token).GetAsyncEnumerator(Token);
        (await passes.MoveNextAsync()).Should().BeTrue();
        ValueTask<bool> next = passes.MoveNextAsync();

        _settings.Change(("WorktreePool:p:keeper:interval", "0s"));
        next.IsCompleted.Should().BeFalse("that is no interval");
        _settings.Change(("WorktreePool:p:keeper:interval", "20s"));

        (await next.AsTask().WaitAsync(TimeSpan.FromSeconds(30), Token)).Should().BeTrue("time stands still here: it is the change that ends the rest");
        _log.Lines.Should().Contain((LogLevel.Information, "Pool p: settings changed: the keeper's Interval from 10h to 20s"))
            .And.ContainSingle(line => line.Level == LogLevel.Error && line.Text.Contains("WorktreePool:p:keeper:interval is 0 s (from changing.json); it must be more than zero", StringComparison.Ordinal));
    }

    /// <summary>How long a claim that finds no slot was ready to wait, by what it says.</summary>
    private async Task<string> LimitAsync()
    {
        Task<SlotLease> waiting = Pool.ClaimAsync(new ClaimRequest { Key = "waiter" }, Token).AsTask();
        while (!waiting.IsCompleted)
        {
            _time.Advance(TimeSpan.FromMilliseconds(250));
            await Task.Yield();
        }

        string message = (await waiting.Awaiting(task => task).Should().ThrowAsync<SlotUnavailableException>()).Which.Message;
        return System.Text.RegularExpressions.Regex.Match(message, "within ([0-9.]+ s)").Groups[1].Value;
    }
}
