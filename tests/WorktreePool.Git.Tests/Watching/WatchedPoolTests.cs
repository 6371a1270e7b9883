using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using WorktreePool.DependencyInjection;
using WorktreePool.Git.Auto;
using WorktreePool.Git.Cli;
using WorktreePool.Git.Worktree;
using WorktreePool.Testing;
using WorktreePool.Testing.Conformance;

namespace WorktreePool.Git.Tests.Watching;

/// <summary>A pool whose keeper watches: which claims trust that, and that they are right to.</summary>
public sealed class WatchedPoolTests : IAsyncLifetime
{
    private readonly InMemorySlotStateStore _store = new();
    private readonly List<ServiceProvider> _processes = [];
    private TestRepository _repository = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Slot => Path.Combine(_repository.Pool, "slots", "slot-0");

    public async ValueTask InitializeAsync()
    {
        _repository = await TestRepository.CreateAsync();
        Assert.SkipUnless(UnixFiles.IsSupported && SlotWatch.TellsAll(_repository.Root), $"{_repository.Root} is on no file system where slots are watched");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (ServiceProvider process in _processes)
        {
            await process.DisposeAsync();
        }

        await _repository.DisposeAsync();
    }

    [Fact]
    public async Task A_claim_after_a_pass_of_the_keeper_reads_no_files_and_one_after_a_release_does()
    {
        (IWorktreePool pool, Recorder git) = Open();
        await WatchAsync(pool);

        SlotLease lease = await ClaimAsync(pool);
        git.Claims.Should().Equal(true);
        lease.Healed.Should().BeEmpty();
        await File.WriteAllTextAsync(Path.Combine(Slot, "work.txt"), "work", Token);
        await lease.ReleaseAsync(ReleaseMode.Discard, Token);
        await (await ClaimAsync(pool)).ReleaseAsync(ReleaseMode.Discard, Token);

        git.Claims.Should().Equal(true, false);
        await WatchAsync(pool);
        await (await ClaimAsync(pool)).ReleaseAsync(ReleaseMode.Discard, Token);
        git.Claims.Should().Equal(true, false, true);
    }

    [Fact]
    public async Task A_change_after_the_pass_is_healed()
    {
        (IWorktreePool pool, Recorder git) = Open();
        await WatchAsync(pool);
        await _repository.ShellAsync(Slot, "echo x >> README.md");

        SlotLease lease = await ClaimAsync(pool);

        git.Claims.Should().Equal(false);
        lease.Healed.Should().Equal(FindingIds.TreeDiffers);
        (await File.ReadAllTextAsync(Path.Combine(Slot, "README.md"), Token)).Should().Be("hello\n");
    }

    [Fact]
    public async Task What_another_process_claimed_and_released_is_read()
    {
        (IWorktreePool pool, Recorder git) = Open();
        (IWorktreePool other, _) = Open();
        await WatchAsync(pool);
        SlotLease theirs = await ClaimAsync(other);
        await _repository.ShellAsync(Slot, "echo x >> README.md && mkdir a && echo y > a/b");
        await theirs.ReleaseAsync(ReleaseMode.Discard, Token);

        SlotLease lease = await ClaimAsync(pool);

        git.Claims.Should().Equal(false);
        lease.Healed.Should().BeEmpty();
    }

    [Fact]
    public async Task A_pool_that_did_not_ask_for_it_reads_everything()
    {
        (IWorktreePool pool, Recorder git) = Open(watches: false);
        await WatchAsync(pool);

        await ClaimAsync(pool);

        git.Claims.Should().Equal(false);
    }

    [Fact]
    public async Task That_the_pool_reads_the_inputs_of_its_set_up_steps_is_no_reason_to_distrust()
    {
        (IWorktreePool pool, Recorder git) = Open(configure: options =>
            options.SetUp.Add(new SetUpStep { Name = "make", Command = { "/bin/sh", "-c", "mkdir -p made && cp README.md made/" }, Inputs = { "/README.md" }, Makes = { "/made/" } }));
        await WatchAsync(pool);
        await pool.MaintainAsync(Token);

        SlotLease lease = await ClaimAsync(pool);

        git.Claims.Should().Equal(true);
        File.Exists(Path.Combine(Slot, "made", "README.md")).Should().BeTrue();
        lease.Healed.Should().BeEmpty();
    }

    /// <summary>The first pass makes or heals what is to be watched, the next finds it ready.</summary>
    private static async Task WatchAsync(IWorktreePool pool)
    {
        await pool.MaintainAsync(Token);
        (await pool.MaintainAsync(Token)).Healed.Should().BeEmpty();
    }

    private static async Task<SlotLease> ClaimAsync(IWorktreePool pool) => await pool.ClaimAsync(new ClaimRequest { Key = "MC-1" }, Token);

    private (IWorktreePool Pool, Recorder Git) Open(bool watches = true, Action<WorktreePoolOptions>? configure = null)
    {
        Recorder? recorder = null;
        var services = new ServiceCollection();
        services.AddWorktreePool("watched", options =>
        {
            (options.RepositoryPath, options.PoolDirectory, options.Slots, options.WatchSlots) = (_repository.Main, _repository.Pool, 1, watches);
            configure?.Invoke(options);
        }).UseGit().UseInMemory(_store).UseBackend((_, options) =>
        {
            IGitBackend git = DispatchProxy.Create<IGitBackend, Recorder>();
            recorder = (Recorder)git;
            recorder.Real = new AutoGitBackend(new CliGitBackend(options, TimeProvider.System), options);
            return git;
        });
        ServiceProvider process = services.BuildServiceProvider();
        _processes.Add(process);
        IWorktreePool pool = process.GetRequiredKeyedService<IWorktreePool>("watched");
        return (pool, recorder!);
    }

    /// <summary>Records of each probe that may trust a watch whether it did.</summary>
    [SuppressMessage("Performance", "CA1852", Justification = "A proxy is made of a type that derives from it.")]
    [SuppressMessage("Reliability", "CA2012", Justification = "A proxy gives its answers as objects.")]
    private class Recorder : DispatchProxy, IDisposable
    {
        public AutoGitBackend Real { get; set; } = null!;

        public List<bool> Claims { get; } = [];

        public void Dispose() => Real.Dispose();

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
            targetMethod!.Name == nameof(IGitBackend.ProbeAsync) && args is [SlotPlace place, SlotTarget { Watch: WatchUse.Trust } target, CancellationToken token]
                ? ProbeAsync(place, target, token)
                : targetMethod.Invoke(Real, BindingFlags.DoNotWrapExceptions, null, args, null);

        private async ValueTask<SlotProbe> ProbeAsync(SlotPlace place, SlotTarget target, CancellationToken token)
        {
            SlotProbe probe = await Real.ProbeAsync(place, target, token);
            Claims.Add(probe.IsFromWatch);
            return probe;
        }
    }
}
