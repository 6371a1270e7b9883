using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using WorktreePool.Settings;
using WorktreePool.Testing;

namespace WorktreePool.Hosting.Tests;

/// <summary>What is configured is what runs, or the host does not start.</summary>
public sealed class ConfigurationTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Settings_are_bound_in_any_case_with_durations_as_people_write_them()
    {
        using IHost host = Build(("slots", "3"), ("ClaimTimeout", "90s"), ("LEASEDURATION", "2h"), ("releaseTimeout", "00:00:45"), ("keep:0", "/.cache/"), ("keep:1", "/bin/"));
        await host.StartAsync(Token);

        WorktreePoolOptions options = host.Services.GetRequiredService<IOptionsMonitor<WorktreePoolOptions>>().Get("p");

        (options.Slots, options.ClaimTimeout, options.LeaseDuration, options.ReleaseTimeout).Should().Be((3, TimeSpan.FromSeconds(90), TimeSpan.FromHours(2), TimeSpan.FromSeconds(45)));
        options.Keep.Should().Equal("/.cache/", "/bin/");
        await host.StopAsync(Token);
    }

    [Theory]
    [InlineData("claimTimout", "30s", "*WorktreePool:p:claimTimout (from MemoryConfigurationProvider)*no setting*claimTimeout*")]
    [InlineData("claimTimeout", "soon", "*WorktreePool:p:claimTimeout is \"soon\" (from MemoryConfigurationProvider); that is no duration*")]
    [InlineData("slots", "many", "*WorktreePool:p:slots*\"many\"*whole number*")]
    [InlineData("slots:0", "3", "*WorktreePool:p:slots*(from MemoryConfigurationProvider)*must be one value*")]
    [InlineData("slots", "0", "*Slots is 0 (from MemoryConfigurationProvider); it must be 1 to 1000*")]
    [InlineData("releaseMode", "burn", "*releaseMode is \"burn\" (from MemoryConfigurationProvider); it must be \"rescue\" or \"discard\"*")]
    [InlineData("keep:first", "/.cache/", "*WorktreePool:p:keep*(from MemoryConfigurationProvider)*list of texts*first*")]
    [InlineData("keep", "cache", "*Keep (from MemoryConfigurationProvider) has \"cache\"*anchored*")]
    [InlineData("setUp:0:comand:0", "npm", "*WorktreePool:p:setUp (from MemoryConfigurationProvider): step 1 sets \"comand\"*command*")]
    [InlineData("hostTaskTimeout", "30s", "*ClaimTimeout is 60 s (the default) and HostTaskTimeout is 30 s (from MemoryConfigurationProvider)*below*")]
    [InlineData("keeper:interval", "soon", "*WorktreePool:p:keeper:interval is \"soon\" (from MemoryConfigurationProvider); that is no duration*")]
    [InlineData("keeper:intervall", "5s", "*WorktreePool:p:keeper:intervall*no setting*\"interval\"*")]
    [InlineData("keeper:baseRefresh", "-1s", "*baseRefresh*-1s*")]
    public async Task What_is_wrong_ends_the_start_and_is_named_with_its_source(string name, string value, string message)
    {
        using IHost host = Build((name, value));
        (await host.Awaiting(h => h.StartAsync(Token)).Should().ThrowAsync<Exception>()).WithMessage(message);
    }

    [Fact]
    public async Task Set_up_steps_can_stand_in_a_file()
    {
        const string Json = """
            { "WorktreePool": { "p": { "repositoryPath": "/nowhere/repository", "poolDirectory": "/nowhere/pool", "keep": [], "setUp": [
                { "name": "npm", "command": ["npm", "ci"], "inputs": ["/package-lock.json"], "makes": [], "environment": { "CI": "1" }, "timeout": "50s", "check": "presence" } ] } } }
            """;
        HostApplicationBuilder builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration.AddJsonStream(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(Json)));
        builder.Configuration.AddInMemoryCollection([new("WorktreePool:p:setUp:0:timeout", "40s")]);
        builder.Services.AddWorktreePool("p", builder.Configuration).UseScriptedGit(new ScriptedGitBackend()).UseInMemory();
        using IHost host = builder.Build();
        await host.StartAsync(Token);

        SetUpStep step = host.Services.GetRequiredService<IOptionsMonitor<WorktreePoolOptions>>().Get("p").SetUp.Should().ContainSingle().Which;

        (step.Name, step.Timeout, step.Check).Should().Be(("npm", TimeSpan.FromSeconds(40), MadeCheck.Presence), "what a later source says counts for its part only");
        step.Command.Should().Equal("npm", "ci");
        (step.Inputs.Single(), step.Makes.Count, step.Environment["CI"]).Should().Be(("/package-lock.json", 0, "1"));
        await host.StopAsync(Token);
    }

    [Fact]
    public void The_keeper_is_configured_and_code_has_the_last_word()
    {
        HostApplicationBuilder builder = Configured(("keeper:interval", "2m"), ("Keeper:BaseRefresh", "never"));
        using IHost configured = builder.Build();
        KeeperOptions options = configured.Services.GetRequiredService<IOptionsMonitor<KeeperOptions>>().Get("p");
        (options.Interval, options.BaseRefresh).Should().Be((TimeSpan.FromMinutes(2), null));

        builder = Configured(("keeper:interval", "2m"));
        builder.Services.Configure<KeeperOptions>("p", keeper => keeper.Interval = TimeSpan.FromMinutes(3));
        using IHost coded = builder.Build();
        coded.Services.GetRequiredService<IOptionsMonitor<KeeperOptions>>().Get("p").Interval.Should().Be(TimeSpan.FromMinutes(3));
    }

    [Fact]
    public void Every_option_can_be_configured()
    {
        Names<WorktreePoolOptions>().Except([nameof(WorktreePoolOptions.Sources)]).Should().BeEquivalentTo(PoolSettingTable.All.Select(setting => setting.OptionName));
        Names<KeeperOptions>().Should().BeEquivalentTo(KeeperSettingTable.All.Select(setting => setting.OptionName));
    }

    [Fact]
    public void What_counts_without_a_restart_is_what_no_slot_is_made_of() =>
        PoolSettingTable.All.Where(setting => !setting.Reloads).Select(setting => setting.OptionName).Should().BeEquivalentTo(
            nameof(WorktreePoolOptions.RepositoryPath), nameof(WorktreePoolOptions.Isolated), nameof(WorktreePoolOptions.Remote), nameof(WorktreePoolOptions.PoolDirectory),
            nameof(WorktreePoolOptions.SlotsDirectory), nameof(WorktreePoolOptions.Slots), nameof(WorktreePoolOptions.Base), nameof(WorktreePoolOptions.RescueLimit), nameof(WorktreePoolOptions.WatchSlots),
            nameof(WorktreePoolOptions.Keep), nameof(WorktreePoolOptions.Sparse), nameof(WorktreePoolOptions.Copy), nameof(WorktreePoolOptions.SetUp));

    private static IEnumerable<string> Names<T>() => typeof(T).GetProperties().Select(option => option.Name);

    private static IHost Build(params (string Name, string Value)[] settings) => Configured(settings).Build();

    private static HostApplicationBuilder Configured(params (string Name, string Value)[] settings)
    {
        HostApplicationBuilder builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration.AddInMemoryCollection(settings.Append(("repositoryPath", "/nowhere/repository")).Append(("poolDirectory", "/nowhere/pool"))
            .Select(setting => new KeyValuePair<string, string?>($"WorktreePool:p:{setting.Item1}", setting.Item2)));
        builder.Services.AddWorktreePool("p", builder.Configuration).UseScriptedGit(new ScriptedGitBackend()).UseInMemory();
        return builder;
    }
}
