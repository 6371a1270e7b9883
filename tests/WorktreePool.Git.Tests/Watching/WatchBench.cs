using WorktreePool.Git.LibGit2;
using WorktreePool.Git.Worktree;
using WorktreePool.Testing.Conformance;

namespace WorktreePool.Git.Tests.Watching;

/// <summary>A ready slot, a probe that watches it, and one that reads everything.</summary>
public abstract class WatchBench : IAsyncLifetime
{
    private InProcessProbe _reading = null!;

    private protected TestRepository Repository { get; private set; } = null!;

    private protected SlotPlace Place { get; private set; } = null!;

    private protected TrustedIndex Trusted { get; private set; } = null!;

    private protected WatchedSlots Watches { get; private set; } = null!;

    private protected InProcessProbe Probe { get; private set; } = null!;

    private protected string Index => Path.Combine(Repository.AdminDirectory("slot-0"), "index");

    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Repository = await TestRepository.CreateAsync();
        Assert.SkipUnless(UnixFiles.IsSupported && SlotWatch.TellsAll(Repository.Root), $"{Repository.Root} is on no file system where slots are watched");
        Place = Repository.Place("slot-0");
        await Repository.GitAsync(Repository.Main, "worktree", "add", "-q", "--detach", Place.Path, "origin/main");
        Trusted = new TrustedIndex(Repository.Pool);
        Trusted.Keep("slot-0", Repository.Commit, Index);
        _reading = NewProbe(null);
        Use(() => new KernelEvents());
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Watches?.Dispose();
        await Repository.DisposeAsync();
    }

    /// <summary>Begins anew, as after a restart, with these events.</summary>
    private protected void Use(Func<IFileEvents> open)
    {
        Watches?.Dispose();
        Watches = new WatchedSlots(open);
        Probe = NewProbe(Watches);
    }

    /// <summary>What the keeper asks: the slot is read, and watched from then on.</summary>
    private protected SlotProbe Begin() => Ask(Probe, WatchUse.Begin);

    /// <summary>What a claim asks.</summary>
    private protected SlotProbe Trust() => Ask(Probe, WatchUse.Trust);

    /// <summary>What is really so.</summary>
    private protected SlotProbe Read() => Ask(_reading, WatchUse.None);

    private protected static IEnumerable<string> Words(SlotProbe probe) => probe.Findings.Select(finding => finding.ToString());

    private InProcessProbe NewProbe(WatchedSlots? watches) => new(RepositoryLayout.Find(Repository.Main), Trusted, new VerifiedIndexes(Trusted, TimeProvider.System), new KeepPatterns(["/.cache/"]), watches);

    private SlotProbe Ask(InProcessProbe probe, WatchUse watch) =>
        probe.Run(Place, new SlotTarget(Repository.Commit) { Watch = watch }, Token).Probe ?? throw new InvalidOperationException("the probe in process gave no answer");
}
