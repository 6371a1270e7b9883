using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
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
    [InlineData("claimTimout", "30s", "*WorktreePool:p:claimTimout in MemoryConfigurationProvider*no setting*ClaimTimeout*")]
    [InlineData("claimTimeout", "soon", "*WorktreePool:p:claimTimeout in MemoryConfigurationProvider*\"soon\"*must be a duration*")]
    [InlineData("slots", "many", "*WorktreePool:p:slots*\"many\"*whole number*")]
    [InlineData("slots", "0", "*Slots is 0*1 to 1000*")]
    [InlineData("hostTaskTimeout", "30s", "*ClaimTimeout is 60 s and HostTaskTimeout is 30 s*below*")]
    public async Task What_is_wrong_ends_the_start_and_is_named_with_its_source(string name, string value, string message)
    {
        using IHost host = Build((name, value));
        (await host.Awaiting(h => h.StartAsync(Token)).Should().ThrowAsync<Exception>()).WithMessage(message);
    }

    [Fact]
    public void Every_option_can_be_configured_but_set_up_steps() =>
        typeof(WorktreePoolOptions).GetProperties().Select(option => option.Name).Except(PoolSettingsSection.Names.Keys).Should().Equal(nameof(WorktreePoolOptions.SetUp));

    private static IHost Build(params (string Name, string Value)[] settings)
    {
        HostApplicationBuilder builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration.AddInMemoryCollection(settings.Append(("repositoryPath", "/nowhere/repository")).Append(("poolDirectory", "/nowhere/pool"))
            .Select(setting => new KeyValuePair<string, string?>($"WorktreePool:p:{setting.Item1}", setting.Item2)));
        builder.Services.AddWorktreePool("p", builder.Configuration).UseScriptedGit(new ScriptedGitBackend()).UseInMemory();
        return builder.Build();
    }
}
