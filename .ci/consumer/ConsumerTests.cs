using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using NSubstitute;
using WorktreePool;
using WorktreePool.DependencyInjection;
using WorktreePool.FileState;
using WorktreePool.Git;
using WorktreePool.Testing;
using WorktreePool.Testing.Conformance;
using Xunit;

namespace Consumer;

/// <summary>The packages, as a program outside of the repository uses them.</summary>
public sealed class ConsumerTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Claim_and_release_in_a_real_repository()
    {
        string root = Directory.CreateTempSubdirectory("worktree-pool-consumer-").FullName;
        string repository = Path.Combine(root, "repository");
        Git(root, "init", "-q", "-b", "main", repository);
        File.WriteAllText(Path.Combine(repository, "README.md"), "hello\n");
        Git(repository, "add", "-A");
        Git(repository, "-c", "user.name=c", "-c", "user.email=c@example.invalid", "commit", "-qm", "one");
        var services = new ServiceCollection();
        services.AddWorktreePool("agents", options => (options.RepositoryPath, options.PoolDirectory, options.Slots) = (repository, Path.Combine(root, "pool"), 2)).UseGit().UseFileState();
        await using (ServiceProvider provider = services.BuildServiceProvider())
        {
            IWorktreePool pool = provider.GetRequiredKeyedService<IWorktreePool>("agents");
            SlotLease lease = await pool.ClaimAsync(new ClaimRequest { Key = "MC-1", Branch = "cr/mc-1" }, Token);
            Assert.Equal("hello\n", await File.ReadAllTextAsync(Path.Combine(lease.Path, "README.md"), Token));
            await File.WriteAllTextAsync(Path.Combine(lease.Path, "work.txt"), "work\n", Token);
            Assert.Single((await lease.ReleaseAsync(cancellationToken: Token)).Rescued);
            Assert.False(File.Exists(Path.Combine(lease.Path, "work.txt")));
            await PoolAssert.IsNotHeldAsync(pool, "MC-1");
        }

        Directory.Delete(root, recursive: true);
    }

    [Fact]
    public async Task A_dispatcher_over_the_fakes()
    {
        await using TestPool pool = await new TestPoolBuilder().Held("MC-1").HeldByTheDead("MC-2").Free().BuildAsync();
        IReadOnlyList<SlotLease> leases = await new Dispatcher(pool.Pool).DispatchAsync("MC-1", "MC-2", "MC-3", "MC-4");
        Assert.Equal(["MC-2", "MC-3"], leases.Select(lease => lease.Key));
        await PoolAssert.NoSlotIsLostAsync(pool.Pool, free: 0);
        await PoolAssert.IsSoundAsync(pool);
    }

    [Fact]
    public async Task A_dispatcher_over_substitutes()
    {
        SlotLease lease = Substitute.For<SlotLease>();
        lease.Key.Returns("MC-1");
        ClaimRefusal refusal = new() { Key = "MC-2", Reason = RefusalReason.Exhausted, Message = "no slot", Counts = new PoolCounts(1, 0, 1, 0, 0, 0, 0) };
        IWorktreePool pool = Substitute.For<IWorktreePool>();
        pool.ClaimWhatFitsAsync(Arg.Any<IReadOnlyList<ClaimRequest>>(), Arg.Any<CancellationToken>()).Returns(new BatchClaim([ClaimResult.Claimed(lease), ClaimResult.Refused(refusal)]));
        Assert.Same(lease, Assert.Single(await new Dispatcher(pool).DispatchAsync("MC-1", "MC-2")));
    }

    private static void Git(string where, params string[] arguments)
    {
        using Process git = Process.Start(new ProcessStartInfo("git", ["-C", where, .. arguments]))!;
        git.WaitForExit();
        Assert.Equal(0, git.ExitCode);
    }
}

/// <summary>A store of one's own passes the suite of the packages.</summary>
[ConformanceOf(typeof(InMemorySlotStateStore))]
public sealed class OwnStoreConformanceTests : SlotStateStoreConformance
{
    private readonly InMemorySlotStateStore _store = new();

    protected override ISlotStateStore Open() => _store.Connect();
}
