using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using WorktreePool.DependencyInjection;
using WorktreePool.Testing;

namespace WorktreePool.Hosting.Tests;

/// <summary>The keeper in a Generic Host.</summary>
public sealed class KeeperServiceTests
{
    private readonly ScriptedGitBackend _git = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_works_from_start_to_stop_and_leaves_the_gate()
    {
        var store = new InMemorySlotStateStore();
        using IHost host = Build(store);
        await host.StartAsync(Token);
        IWorktreePool pool = host.Services.GetRequiredKeyedService<IWorktreePool>("p");

        PoolState state = await UntilAsync(store, state => state.Slots.Count == 2 && state.Slots.All(slot => slot.State == SlotState.Free));
        state.Pool.Gates.Should().ContainKey($"keeper:{Environment.MachineName}");
        await host.StopAsync(Token);

        (await store.ReadAsync(Token)).Pool.Gates.Should().BeNull();
        (await pool.MaintainAsync(Token)).KeptBy.Should().BeNull();
    }

    [Fact]
    public async Task A_host_starts_though_the_pool_cannot_be_made_yet()
    {
        var store = new InMemorySlotStateStore();
        _git.At(GitVerb.Inspect).Fail("the disk is not mounted");
        using IHost host = Build(store);

        await host.StartAsync(Token);
        await host.StopAsync(Token);

        (await store.ReadAsync(Token)).Slots.Should().BeEmpty();
    }

    private IHost Build(InMemorySlotStateStore store)
    {
        HostApplicationBuilder builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddWorktreePool("p", options => (options.RepositoryPath, options.PoolDirectory, options.Slots) = ("/nowhere/repository", "/nowhere/pool", 2))
            .UseScriptedGit(_git).UseInMemory(store).AddKeeper(options => options.Interval = TimeSpan.FromMinutes(10));
        return builder.Build();
    }

    private static async Task<PoolState> UntilAsync(InMemorySlotStateStore store, Func<PoolState, bool> reached)
    {
        PoolState state = await store.ReadAsync(Token);
        while (!reached(state))
        {
            await store.WaitForChangeAsync(state.Stamp, Token).AsTask().WaitAsync(TimeSpan.FromSeconds(30), Token);
            state = await store.ReadAsync(Token);
        }

        return state;
    }
}
