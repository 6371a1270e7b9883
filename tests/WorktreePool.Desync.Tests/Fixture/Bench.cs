using Microsoft.Extensions.DependencyInjection;
using WorktreePool.DependencyInjection;
using WorktreePool.Desync.Tests.Damage;
using WorktreePool.Desync.Tests.Verification;
using WorktreePool.FileState;
using WorktreePool.Git;

namespace WorktreePool.Desync.Tests.Fixture;

/// <summary>
/// A place where one slot after the other is damaged. Under <c>$ROOT</c> lie: <c>$ORIGIN</c>, its clone <c>$REPO</c> with the common directory
/// <c>$COMMON</c>, the free <c>$SLOT</c> (slot-0) with its <c>$ADMIN</c> directory, its leased sibling <c>$SIBLING</c> (slot-1) with
/// <c>$SIBLING_ADMIN</c>, and <c>$OUTSIDE</c>, which is nobody's; <c>$ROOT/PWNED</c> appears when planted code runs. Each kind is built once, pool and
/// all, and copied for every test to the same path.
/// </summary>
public class Bench : IAsyncDisposable
{
    private static readonly TimeSpan ScriptInStack = TimeSpan.FromSeconds(5);

    /// <summary>The exit code of a process that SIGKILL ended.</summary>
    private const int Killed = 128 + 9;

    private readonly string _top = Directory.CreateTempSubdirectory("worktree-pool-desync-").FullName;
    private readonly Dictionary<FixtureKind, Template> _templates = [];
    private readonly Dictionary<string, IReadOnlyDictionary<string, string>> _expected = [];
    private readonly StaticServer _server;

    public Bench()
    {
        _server = new StaticServer(_top);
        Shell = ShellFor(FixtureKind.Standard);
    }

    internal string Root => Path.Combine(_top, "w");

    internal string Repository => Path.Combine(Root, "repo");

    /// <summary>Whether the slots belong to a repository of the pool's own.</summary>
    internal virtual bool IsIsolated => false;

    /// <summary>Whether that one borrows the objects of <c>$REPO</c>, or knows the remote alone.</summary>
    internal virtual bool Borrows => false;

    /// <summary>The user's git directory, to which the slots belong unless the pool is isolated.</summary>
    internal string UsersGit => Path.Combine(Repository, ".git");

    internal string Common => IsIsolated ? Path.Combine(Root, "pool", "repository.git") : UsersGit;

    internal string Origin => Path.Combine(Root, "origin.git");

    internal string Outside => Path.Combine(Root, "outside");

    internal string Slot => Path.Combine(Root, "slots", "slot-0");

    internal string Sibling => Path.Combine(Root, "slots", "slot-1");

    internal string SiblingAdmin => Path.Combine(Common, "worktrees", "slot-1");

    internal string Canary => Path.Combine(Root, "PWNED");

    internal Shell Shell { get; private set; }

    /// <summary>A repository of the bench's own, in which nobody planted anything, to look at objects and indexes.</summary>
    internal string Neutral => Path.Combine(_top, "neutral.git");

    /// <summary>What the present kind looks like undamaged.</summary>
    internal Template Current { get; private set; } = null!;

    /// <summary>Puts a fresh pool of this kind in place.</summary>
    internal async Task ResetAsync(FixtureKind kind)
    {
        Shell = ShellFor(kind);
        if (_templates.TryGetValue(kind, out Template? template))
        {
            await Shell.RunAsync($"{Scripts.Wipe}\ncp -a {template.Path} $ROOT");

            // A copied file is another file to whoever compares inodes and change times: the pool shall know these as its own.
            await using ServiceProvider services = Open([]);
            await services.GetRequiredKeyedService<IWorktreePool>("desync").MaintainAsync();
        }
        else
        {
            await Shell.RunAsync($"{Scripts.Wipe}\nmkdir $ROOT; test -d {Neutral} || git init -q --bare {Neutral}; echo $COMMON/objects > {Neutral}/objects/info/alternates\n{Scripts.Repository}");
            await MakePoolAsync();
            await Shell.RunAsync(Scripts.LiveWork);
            template = new Template(kind, Path.Combine(_top, kind.ToString()), await HeadOfOriginAsync() ?? "", await Snapshot.TakeAsync(this));
            await Shell.RunAsync($"cp -a $ROOT {template.Path}");
            _templates[kind] = template;
            await ExpectedAsync(template.Commit, SlotCheck.NotContent);
        }

        Current = template;
    }

    /// <summary>Damages the slot.</summary>
    /// <param name="states">In this order. Of several, one that no longer applies is passed by.</param>
    internal async Task DamageAsync(params IReadOnlyList<DamagedState> states)
    {
        foreach (DamagedState state in states)
        {
            bool alone = states.Count == 1;
            string refresh = state == states[0] ? "cd $SLOT; git update-index -q --refresh" : "cd -P $SLOT || exit 0";
            (int code, string output) = await Shell.TryRunAsync($"{Scripts.Vocabulary}\n{refresh}\n{state.Script}\ntrue", alone ? null : ScriptInStack);
            if (alone && code != 0)
            {
                Assert.Fail($"{state.Id} could not be brought about (exit {code}): {output}");
            }

            string asRoot = Path.Combine(Root, "as-root");
            if (File.Exists(asRoot))
            {
                (code, output) = await Shell.TryRunAsync($". {asRoot}");
                File.Delete(asRoot);
                Assert.SkipWhen(code != 0, $"{state.Id} cannot be brought about here: {output}");
            }
        }

        File.Delete(Canary);
    }

    /// <summary>Lets a process of its own heal the slot, and ends it by SIGKILL at a point on the way; git that it has started goes on.</summary>
    /// <param name="point">At the so-manieth of all crash points.</param>
    /// <returns>Whether it was killed; it may have come to its end before.</returns>
    internal async Task<bool> KillWhileHealingAsync(int point)
    {
        var start = new System.Diagnostics.ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "WorktreePool.TestHelper.dll"), "heal", Root]);
        start.Environment["WORKTREE_POOL_CRASH_AT"] = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{point} *");
        using System.Diagnostics.Process healer = System.Diagnostics.Process.Start(start)!;
        await healer.WaitForExitAsync();
        return healer.ExitCode == Killed;
    }

    internal ServiceProvider Open(IReadOnlyList<string> keep)
    {
        var services = new ServiceCollection();
        services.AddWorktreePool("desync", options =>
        {
            options.RepositoryPath = !IsIsolated || Borrows ? Repository : "";
            options.Isolated = IsIsolated;
            options.Remote = IsIsolated && !Borrows ? Origin : null;
            options.PoolDirectory = Path.Combine(Root, "pool");
            options.SlotsDirectory = Path.Combine(Root, "slots");
            options.Slots = 2;
            options.Base = "origin/main";
            options.ClaimTimeout = options.ReleaseTimeout = TimeSpan.FromSeconds(30);
            foreach (string pattern in keep)
            {
                options.Keep.Add(pattern);
            }
        }).UseGit().UseFileState();
        return services.BuildServiceProvider();
    }

    /// <summary>What a fresh clone at this commit looks like.</summary>
    internal async Task<IReadOnlyDictionary<string, string>> ExpectedAsync(string commit, params string[] without)
    {
        string key = string.Join(' ', [commit, .. without]);
        if (!_expected.TryGetValue(key, out IReadOnlyDictionary<string, string>? manifest))
        {
            string clone = Path.Combine(_top, "expected");
            await Shell.RunAsync($"git clone -q --no-checkout $ORIGIN {clone}; cd {clone}; git checkout -q --detach {commit}; git submodule --quiet update --init");
            manifest = await Manifest.ReadAsync(Shell, clone, without);
            _expected[key] = manifest;
            await Shell.RunAsync($"rm -rf {clone}");
        }

        return manifest;
    }

    internal async Task<string?> HeadOfOriginAsync() =>
        await Shell.TryStartAsync("git", "-C", Origin, "rev-parse", "--verify", "-q", "refs/heads/main") is (0, var commit) ? commit.Trim() : null;

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        _server.Dispose();
        await Shell.RunAsync($"{Scripts.Wipe}\nrm -rf {_top}");
    }

    private async Task MakePoolAsync()
    {
        await using ServiceProvider services = Open([]);
        await services.GetRequiredKeyedService<IPoolOperator>("desync").InitializeAsync();
        IWorktreePool pool = services.GetRequiredKeyedService<IWorktreePool>("desync");

        // A pool that has fetched before, as one that has been in use for a while.
        await Shell.RunAsync("git -C $COMMON update-ref -d refs/remotes/origin/main");
        SlotLease[] leases = [await pool.ClaimAsync(new ClaimRequest { Key = "first" }), await pool.ClaimAsync(new ClaimRequest { Key = "second" })];
        foreach (SlotLease lease in leases)
        {
            if (lease.Path == Slot)
            {
                await lease.ReleaseAsync(ReleaseMode.Discard);
            }

            lease.Detach();
        }

        Directory.Exists(SiblingAdmin).Should().BeTrue("the scripts rely on the names of admin directories");
    }

    private Shell ShellFor(FixtureKind kind) => new(new Dictionary<string, string>
    {
        ["PATH"] = Environment.GetEnvironmentVariable("PATH")!,
        ["HOME"] = Path.Combine(Root, "home"),
        ["LC_ALL"] = "C",
        ["GIT_CONFIG_NOSYSTEM"] = "1",
        ["GIT_TERMINAL_PROMPT"] = "0",
        ["ROOT"] = Root,
        ["REPO"] = IsIsolated ? Common : Repository,
        ["CHECKOUT"] = Repository,
        ["COMMON"] = Common,
        ["ORIGIN"] = Origin,
        ["OUTSIDE"] = Outside,
        ["SLOT"] = Slot,
        ["ADMIN"] = Path.Combine(Common, "worktrees", "slot-0"),
        ["SIBLING"] = Sibling,
        ["SIBLING_ADMIN"] = SiblingAdmin,
        ["KIND"] = kind.ToString(),
        ["SUBMODULE"] = _server.Url + "sub.git",
        ["SUBMODULE_PATH"] = Path.Combine(_top, "sub.git"),
    });
}

/// <summary>A kind as built.</summary>
/// <param name="Kind">Which.</param>
/// <param name="Path">Where its copy lies.</param>
/// <param name="Commit">The base.</param>
/// <param name="Undamaged">What others own.</param>
internal sealed record Template(FixtureKind Kind, string Path, string Commit, Snapshot Undamaged)
{
    public bool HasSubmodule => Kind == FixtureKind.Submodule;
}
