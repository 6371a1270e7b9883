using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;

namespace WorktreePool.Process.Tests;

/// <summary>The kinds of repositories that people have: each is pooled, worked in, released, and claimed again.</summary>
public sealed class RealRepositoriesTests : IAsyncLifetime
{
    private readonly Sandbox _sandbox = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Theory]
    [InlineData("shallow", "git clone -q --depth 1 file://$PWD/origin.git real")]
    [InlineData("partial", "git -C origin.git config uploadpack.allowFilter true; git clone -q --filter=blob:none file://$PWD/origin.git real")]
    [InlineData("SHA-256", "git init -q --object-format=sha256 -b main s; cd s; echo one > README.md; git add -A; git commit -qm one; cd ..; git clone -q --bare s s.git; git clone -q s.git real")]
    [InlineData("names that differ by case or by normalization", "cd seed; echo 1 > Case.txt; echo 2 > case.txt; mkdir Dir dir; echo 3 > Dir/f; echo 4 > dir/f; echo 5 > $'caf\\u00e9'; echo 6 > $'cafe\\u0301'; git add -A; test $(git ls-files | wc -l) = 8; git commit -qm names; git push -q ../origin.git main; cd ..; git clone -q origin.git real")]
    [InlineData("partial, without its own checkout", "git -C origin.git config uploadpack.allowFilter true; git clone -q --no-checkout --filter=blob:none file://$PWD/origin.git real; test -n \"$(git -C real rev-list --objects --missing=print HEAD | grep '^?')\"; git -C real reset -q --soft")]
    [InlineData("worktreeConfig", "git clone -q origin.git real; git -C real config extensions.worktreeConfig true")]
    [InlineData("sparse main checkout", "git clone -q origin.git real; git -C real sparse-checkout set src")]
    [InlineData("autocrlf", "git clone -q -c core.autocrlf=true origin.git real")]
    [InlineData("eol attributes", "cd seed; echo '*.bat text eol=crlf' > .gitattributes; printf 'a\\r\\nb\\r\\n' > x.bat; git add -A; git commit -qm eol; git push -q ../origin.git main; cd ..; git clone -q origin.git real")]
    [InlineData("odd names", "cd seed; mkdir -p 'ü ñ'; echo a > 'ü ñ/日本.txt'; echo b > ' lead'; git add -A; git commit -qm names; git push -q ../origin.git main; cd ..; git clone -q origin.git real")]
    [InlineData("trusted filter", "cd seed; echo '*.up filter=up' > .gitattributes; echo abc > x.up; git add -A; git commit -qm f; git push -q ../origin.git main; cd ..; git clone -q origin.git real; git -C real config filter.up.smudge 'tr a-z A-Z'; git -C real config filter.up.clean 'tr A-Z a-z'")]
    [InlineData("blobs that git would not write", "cd seed; echo '*.up filter=up' > .gitattributes; echo ABC > x.up; git add -A; git commit -qm f; git push -q ../origin.git main; cd ..; git clone -q origin.git real; git -C real config filter.up.smudge 'tr a-z A-Z'; git -C real config filter.up.clean 'tr A-Z a-z'")]
    public async Task It_is_ready_after_any_holder(string kind, string script)
    {
        await ShellAsync(script);
        await using SlotLease first = await Pool().ClaimAsync(new ClaimRequest { Key = kind }, Token);
        string before = Listing(first.Path);
        string dirt = Sandbox.Git(first.Path, "status", "--porcelain", "--ignored");
        dirt.Should().Be(kind == "blobs that git would not write" ? " M x.up" : "", "a fresh clone shows the same");
        File.AppendAllText(Path.Combine(first.Path, "README.md"), "more\n");
        Sandbox.Git(first.Path, "add", "-A");
        Sandbox.Git(first.Path, "commit", "-q", "-m", "work");
        File.WriteAllText(Path.Combine(first.Path, "new.txt"), "work");

        ReleaseReport released = await first.ReleaseAsync(cancellationToken: Token);

        released.Rescued.Should().ContainSingle();
        string admin = Sandbox.Git(first.Path, "rev-parse", "--absolute-git-dir");
        Dictionary<string, DateTime> written = Written(first.Path, admin);
        string[] all = [first.Path, Path.Combine(_sandbox.Root, "real", ".git")];
        string stamps = Stamps(all);
        await using SlotLease second = await Pool().ClaimAsync(new ClaimRequest { Key = kind }, Token);
        Written(first.Path, admin).Should().Equal(written, "what is ready is only verified");
        Stamps(all).Should().Be(stamps, "neither the slot nor anything in the repository is written or changed");
        second.Slot.Should().Be(first.Slot);
        second.Healed.Should().BeEmpty();
        Listing(second.Path).Should().Be(before);
        Sandbox.Git(second.Path, "status", "--porcelain", "--ignored").Should().Be(dirt);
        Sandbox.Git(Path.Combine(_sandbox.Root, "real"), "show", $"refs/worktree-pool/rescue/{released.Rescued[0]}:new.txt").Should().Be("work");
    }

    [Fact]
    public async Task A_shallow_clone_follows_its_remote()
    {
        await ShellAsync("git clone -q --depth 1 file://$PWD/origin.git real");
        await using SlotLease first = await Pool().ClaimAsync(new ClaimRequest { Key = "first" }, Token);
        await first.ReleaseAsync(cancellationToken: Token);
        await ShellAsync("cd seed; echo two > two.txt; git add -A; git commit -qm two; git push -q ../origin.git main; git -C ../real update-ref -d refs/remotes/origin/main");

        await using SlotLease second = await Pool().ClaimAsync(new ClaimRequest { Key = "second" }, Token);

        second.Commit.Should().Be(Sandbox.Git(Path.Combine(_sandbox.Root, "seed"), "rev-parse", "HEAD"));
        File.ReadAllText(Path.Combine(second.Path, "two.txt")).Should().Be("two\n");
        Sandbox.Git(second.Path, "status", "--porcelain", "--ignored").Should().BeEmpty();
    }

    [Fact]
    public async Task A_partial_clone_whose_remote_is_away_is_refused_with_the_reason()
    {
        await ShellAsync("git -C origin.git config uploadpack.allowFilter true; git clone -q --no-checkout --filter=blob:none file://$PWD/origin.git real; mv origin.git away.git");

        Func<Task> claim = async () => await Pool().ClaimAsync(new ClaimRequest { Key = "partial", Wait = TimeSpan.FromSeconds(10) }, Token);

        (await claim.Should().ThrowAsync<WorktreePoolException>()).WithMessage("*missing*could not be fetched anew*origin*");
        Directory.Exists(Path.Combine(_sandbox.PoolDirectory, "slots", "slot-0", "src")).Should().BeFalse();
        await ShellAsync("mv away.git origin.git");
        await using SlotLease lease = await Pool(options => options.QuarantineBackoff = TimeSpan.FromMilliseconds(1)).ClaimAsync(new ClaimRequest { Key = "partial" }, Token);
        File.ReadAllText(Path.Combine(lease.Path, "README.md")).Should().Be("one\n");
    }

    [Fact]
    public async Task A_repository_of_a_newer_git_is_refused_with_the_extension_s_name()
    {
        await ShellAsync("git clone -q origin.git real; git -C real config core.repositoryformatversion 1; git -C real config extensions.fromTheFuture true");
        string config = Path.Combine(_sandbox.Root, "real", ".git", "config"), before = File.ReadAllText(config);

        (int code, _, string error) = await _sandbox.RunAsync("init", "--repo", Path.Combine(_sandbox.Root, "real"));

        code.Should().Be(70);
        error.Should().ContainAll("fromthefuture", "git version", "newer git").And.NotContain("no commit");
        File.ReadAllText(config).Should().Be(before);
    }

    [Fact]
    public async Task Other_tools_relative_worktrees_are_left_alone()
    {
        // What git 2.48 and later write with worktree.useRelativePaths; older ones read it all the same.
        await ShellAsync("""
            git clone -q origin.git real; git -C real worktree add -q --detach ../slot-0
            echo 'gitdir: ../real/.git/worktrees/slot-0' > slot-0/.git; echo ../../../../slot-0/.git > real/.git/worktrees/slot-0/gitdir; git -C slot-0 status
            """);
        string admin = Path.Combine(_sandbox.Root, "real", ".git", "worktrees", "slot-0");
        Dictionary<string, DateTime> before = Written(admin, Path.Combine(_sandbox.Root, "slot-0"));

        await using SlotLease lease = await Pool().ClaimAsync(new ClaimRequest { Key = "relative" }, Token);
        string own = Sandbox.Git(lease.Path, "rev-parse", "--absolute-git-dir");
        own.Should().NotBe(admin);

        // A holder's newer git makes the slot's links relative; then another tool takes the freed name.
        File.WriteAllText(Path.Combine(own, "gitdir"), Path.GetRelativePath(own, Path.Combine(lease.Path, ".git")) + "\n");
        File.WriteAllText(Path.Combine(lease.Path, ".git"), $"gitdir: {Path.GetRelativePath(lease.Path, own)}\n");
        await lease.ReleaseAsync(cancellationToken: Token);
        File.ReadAllText(Path.Combine(lease.Path, ".git")).Should().Be($"gitdir: {own}\n");
        Directory.Delete(own, recursive: true);
        string name = Path.GetFileName(own);
        await ShellAsync($"git -C real worktree add -q --detach ../elsewhere/{name}; echo 'gitdir: ../../real/.git/worktrees/{name}' > elsewhere/{name}/.git; echo ../../../../elsewhere/{name}/.git > real/.git/worktrees/{name}/gitdir; git -C elsewhere/{name} status");

        await using SlotLease again = await Pool().ClaimAsync(new ClaimRequest { Key = "again" }, Token);

        again.Path.Should().Be(lease.Path);
        Sandbox.Git(again.Path, "rev-parse", "--absolute-git-dir").Should().NotBe(own);
        Sandbox.Git(Path.Combine(_sandbox.Root, "elsewhere", name), "status", "--porcelain").Should().BeEmpty();
        Written(admin, Path.Combine(_sandbox.Root, "slot-0")).Should().Equal(before);
    }

    [Fact]
    public async Task A_sparse_pool_has_a_part_of_a_large_repository()
    {
        await ShellAsync("cd seed; mkdir -p src/app docs; echo a > src/app/a.txt; echo d > docs/d.txt; git add -A; git commit -qm dirs; git push -q ../origin.git main; git -C ../repo fetch -q");
        (int code, _, string error) = await _sandbox.RunAsync("init", "--repo", _sandbox.Repository, "--slots", "1", "--sparse", "src/app");
        code.Should().Be(70);
        error.Should().Contain("extensions.worktreeConfig");
        Sandbox.Git(_sandbox.Repository, "config", "extensions.worktreeConfig", "true");
        await _sandbox.InitAsync(1, "--sparse", "src/app");
        (await _sandbox.RunAsync("config")).Output.Should().MatchRegex("sparse +src/app");

        for (int time = 0; time < 2; time++)
        {
            (await _sandbox.JsonAsync("claim", "--key", "K")).Json.GetProperty("healed").GetArrayLength().Should().Be(0);
            string slot = _sandbox.Slot(0);
            Directory.EnumerateFileSystemEntries(slot).Select(path => Path.GetFileName(path)).Should().BeEquivalentTo(".git", ".gitignore", "README.md", "src");
            Sandbox.Git(slot, "status", "--porcelain", "--ignored").Should().BeEmpty();
            Sandbox.Git(slot, "sparse-checkout", "disable");
            File.AppendAllText(Path.Combine(slot, "docs", "d.txt"), "work\n");
            (_, System.Text.Json.JsonElement released) = await _sandbox.JsonAsync("release", "--key", "K");
            string rescue = $"refs/worktree-pool/rescue/{released.GetProperty("rescued")[0].GetString()}";
            Sandbox.Git(_sandbox.Repository, "diff", "--name-only", "refs/remotes/origin/main", rescue).Should().Be("docs/d.txt");
        }

        (await _sandbox.RunAsync("doctor")).Output.Should().Contain("slot-0: ready").And.Contain("repository: nothing found");
    }

    [Fact]
    public async Task A_filter_that_is_trusted_later_is_applied_to_slots_that_were_ready()
    {
        await ShellAsync("cd seed; echo '*.up filter=up' > .gitattributes; echo abc > x.up; git add -A; git commit -qm f; git push -q ../origin.git main; cd ..; git clone -q origin.git real");
        await using (SlotLease before = await Pool().ClaimAsync(new ClaimRequest { Key = "before" }, Token))
        {
            File.ReadAllText(Path.Combine(before.Path, "x.up")).Should().Be("abc\n");
        }

        await ShellAsync("git -C real config filter.up.smudge 'tr a-z A-Z'; git -C real config filter.up.clean 'tr A-Z a-z'");
        await using (SlotLease untrusted = await Pool().ClaimAsync(new ClaimRequest { Key = "untrusted" }, Token))
        {
            File.ReadAllText(Path.Combine(untrusted.Path, "x.up")).Should().Be("abc\n");
        }

        await _sandbox.Open(options => (options.RepositoryPath, options.Slots) = (Path.Combine(_sandbox.Root, "real"), 1)).GetRequiredKeyedService<IPoolOperator>("test").TrustAsync(accept: true, Token);
        await using SlotLease trusted = await Pool().ClaimAsync(new ClaimRequest { Key = "trusted" }, Token);

        File.ReadAllText(Path.Combine(trusted.Path, "x.up")).Should().Be("ABC\n");
        Sandbox.Git(trusted.Path, "status", "--porcelain", "--ignored").Should().BeEmpty();
    }

    [Fact]
    public async Task Without_git_lfs_slots_hold_pointers_and_the_doctor_says_so()
    {
        await ShellAsync("""
            git clone -q origin.git real; cd real; git config filter.lfs.smudge 'git-lfs smudge -- %f'; git config filter.lfs.clean 'git-lfs clean -- %f'; git config filter.lfs.process 'git-lfs filter-process'; git config filter.lfs.required true
            """);
        string tools = Directory.CreateDirectory(Path.Combine(_sandbox.Root, "tools")).FullName;
        foreach (string tool in new[] { "git", "chmod", "rm", "sh" })
        {
            File.CreateSymbolicLink(Path.Combine(tools, tool), Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator).Select(directory => Path.Combine(directory, tool)).First(File.Exists));
        }

        async Task<string> DoctorAsync(string path) => (await _sandbox.RunAsync(new Invocation("doctor") { Environment = new Dictionary<string, string?> { ["PATH"] = path } })).Output;
        (int code, _, string error) = await _sandbox.RunAsync("init", "--repo", Path.Combine(_sandbox.Root, "real"), "--slots", "1");
        code.Should().Be(0, error);

        (await DoctorAsync(tools)).Should().ContainAll("slot-0: ready", "filter-missing: ", "git-lfs", "pointers");

        File.CreateSymbolicLink(Path.Combine(tools, "git-lfs"), Path.Combine(tools, "sh"));
        (await DoctorAsync(tools)).Should().NotContain("filter-missing");
    }

    [Fact]
    public async Task Large_files_are_those_of_git_lfs_not_its_pointers()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator).Any(directory => File.Exists(Path.Combine(directory, "git-lfs"))), "git-lfs is not installed");
        await ShellAsync("""
            git init -q -b main real; cd real; git lfs install --local; git lfs track '*.bin'; seq 1 1000 > big.bin; echo one > README.md; git add -A; git commit -qm lfs
            git clone -q --bare . ../lfs.git; git remote add origin "$PWD/../lfs.git"; git lfs push origin main; git fetch -q
            """);

        await using SlotLease lease = await Pool().ClaimAsync(new ClaimRequest { Key = "lfs" }, Token);

        File.ReadAllText(Path.Combine(lease.Path, "big.bin")).Should().StartWith("1\n2\n3\n");
        File.WriteAllText(Path.Combine(lease.Path, "big.bin"), "other");
        await lease.ReleaseAsync(ReleaseMode.Discard, Token);
        File.ReadAllText(Path.Combine(lease.Path, "big.bin")).Should().StartWith("1\n2\n3\n");
    }

    [Fact]
    public async Task Submodules_are_as_recorded_and_what_was_done_in_them_is_kept()
    {
        await ShellAsync("""
            git init -q -b main sub; cd sub; echo s > lib.txt; git add -A; git commit -qm s; cd ..; git clone -q --bare sub sub.git
            cd seed; git -c protocol.file.allow=always submodule --quiet add "$PWD/../sub.git" libs/sub; git commit -qm sub; git push -q ../origin.git main; cd ..
            git -c protocol.file.allow=always clone -q --recurse-submodules origin.git real
            """);
        await using SlotLease lease = await Pool().ClaimAsync(new ClaimRequest { Key = "sub" }, Token);
        string sub = Path.Combine(lease.Path, "libs", "sub");
        File.ReadAllText(Path.Combine(sub, "lib.txt")).Should().Be("s\n");
        File.WriteAllText(Path.Combine(sub, "lib.txt"), "committed");
        Sandbox.Git(sub, "commit", "-qam", "in the submodule");
        string commit = Sandbox.Git(sub, "rev-parse", "HEAD");
        File.WriteAllText(Path.Combine(sub, "new.txt"), "uncommitted");

        ReleaseReport released = await lease.ReleaseAsync(cancellationToken: Token);

        string real = Path.Combine(_sandbox.Root, "real"), rescue = $"refs/worktree-pool/rescue/{released.Rescued.Single()}";
        Sandbox.Git(real, "show", $"{rescue}:libs/sub/new.txt").Should().Be("uncommitted");
        Sandbox.Git(real, "merge-base", "--is-ancestor", commit, rescue).Should().BeEmpty();
        File.ReadAllText(Path.Combine(sub, "lib.txt")).Should().Be("s\n");
        Sandbox.Git(lease.Path, "status", "--porcelain", "--ignored").Should().BeEmpty();
        Sandbox.Git(sub, "rev-parse", "HEAD").Should().Be(Sandbox.Git(lease.Path, "rev-parse", "HEAD:libs/sub"));
    }

    [Fact]
    public async Task A_repository_made_inside_a_slot_is_kept_with_its_commits()
    {
        await ShellAsync("git clone -q origin.git real");
        await using SlotLease lease = await Pool().ClaimAsync(new ClaimRequest { Key = "nested" }, Token);
        Sandbox.Git(lease.Path, "init", "-q", "-b", "main", "inner");
        string inner = Path.Combine(lease.Path, "inner");
        File.WriteAllText(Path.Combine(inner, "a.txt"), "first");
        Sandbox.Git(inner, "add", "-A");
        Sandbox.Git(inner, "commit", "-qm", "inner");
        string commit = Sandbox.Git(inner, "rev-parse", "HEAD");
        File.WriteAllText(Path.Combine(inner, "a.txt"), "second");

        ReleaseReport released = await lease.ReleaseAsync(cancellationToken: Token);

        string real = Path.Combine(_sandbox.Root, "real"), rescue = $"refs/worktree-pool/rescue/{released.Rescued.Single()}";
        Sandbox.Git(real, "show", $"{rescue}:inner/a.txt").Should().Be("second");
        Sandbox.Git(real, "show", $"{commit}:a.txt").Should().Be("first");
        Sandbox.Git(real, "merge-base", "--is-ancestor", commit, rescue).Should().BeEmpty();
        Directory.Exists(inner).Should().BeFalse();
    }

    [Fact]
    public async Task More_work_than_may_be_kept_is_not_destroyed()
    {
        await ShellAsync("git clone -q origin.git real");
        IWorktreePool pool = Pool(options => options.RescueLimit = 100);
        await using SlotLease lease = await pool.ClaimAsync(new ClaimRequest { Key = "large" }, Token);
        string large = Path.Combine(lease.Path, "large.txt");
        File.WriteAllText(large, new string('x', 101));

        Func<Task> release = async () => await lease.ReleaseAsync(cancellationToken: Token);

        (await release.Should().ThrowAsync<ReleaseIncompleteException>()).WithMessage("*RescueLimit*");
        File.Exists(large).Should().BeTrue();
    }

    [Fact]
    public async Task A_process_left_by_the_lease_is_ended_and_a_strangers_is_named()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "processes of others can be seen through /proc only");
        await ShellAsync("git clone -q origin.git real");
        IWorktreePool pool = Pool();
        await using SlotLease lease = await pool.ClaimAsync(new ClaimRequest { Key = "left" }, Token);
        using System.Diagnostics.Process ours = Start(lease.Path, lease.Environment, "echo up; exec sleep 600");
        using System.Diagnostics.Process stubborn = Start(lease.Path, lease.Environment, "trap '' TERM; echo up; exec sleep 600");
        await ours.StandardOutput.ReadLineAsync(Token);
        await stubborn.StandardOutput.ReadLineAsync(Token);
        await lease.ReleaseAsync(cancellationToken: Token);
        await ours.WaitForExitAsync(Token);
        await stubborn.WaitForExitAsync(Token);
        (ours.ExitCode, stubborn.ExitCode).Should().Be((143, 137), "who can tidy up may, before it is killed");

        await using SlotLease again = await pool.ClaimAsync(new ClaimRequest { Key = "left" }, Token);
        using System.Diagnostics.Process stranger = Start(again.Path, new Dictionary<string, string>(), "exec sleep 600");
        Func<Task> release = async () => await again.ReleaseAsync(cancellationToken: Token);

        (await release.Should().ThrowAsync<ReleaseIncompleteException>()).WithMessage($"* ({stranger.Id})*");
        stranger.HasExited.Should().BeFalse();
        stranger.Kill();
    }

    [Fact]
    public async Task Leftover_processes_can_be_left_alone_or_waited_for()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "processes of others can be seen through /proc only");
        await ShellAsync("git clone -q origin.git real");
        IWorktreePool waiting = Pool(options => options.LeftoverProcesses = LeftoverPolicy.Wait);
        SlotLease lease = await waiting.ClaimAsync(new ClaimRequest { Key = "waits" }, Token);
        using System.Diagnostics.Process ending = Start(lease.Path, lease.Environment, "echo up; read line || true; exit 7");
        await ending.StandardOutput.ReadLineAsync(Token);
        Task<ReleaseReport> release = lease.ReleaseAsync(cancellationToken: Token).AsTask();
        ending.StandardInput.Close();
        await release;
        await ending.WaitForExitAsync(Token);
        ending.ExitCode.Should().Be(7, "it was waited for, and neither asked to end nor killed");

        IWorktreePool failing = Pool(options => options.LeftoverProcesses = LeftoverPolicy.Fail);
        lease = await failing.ClaimAsync(new ClaimRequest { Key = "fails" }, Token);

        // A daemon: it has left the session, stands elsewhere, and has only its environment to tell of the lease.
        using System.Diagnostics.Process daemon = Start("/", lease.Environment, "exec setsid sh -c 'cd /; echo up; read line || true'");
        await daemon.StandardOutput.ReadLineAsync(Token);
        Func<Task> refused = async () => await lease.ReleaseAsync(cancellationToken: Token);
        (await refused.Should().ThrowAsync<ReleaseIncompleteException>()).WithMessage($"*{FindingIds.ProcessLeft}*LeftoverProcesses is Fail*");
        daemon.HasExited.Should().BeFalse();
        daemon.StandardInput.Close();
        await daemon.WaitForExitAsync(Token);
    }

    private static System.Diagnostics.Process Start(string where, IReadOnlyDictionary<string, string> environment, string script)
    {
        var start = new ProcessStartInfo("sh", ["-c", script]) { WorkingDirectory = where, RedirectStandardOutput = true, RedirectStandardInput = true };
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        return System.Diagnostics.Process.Start(start)!;
    }

    private IWorktreePool Pool(Action<WorktreePoolOptions>? configure = null) => _sandbox.Pool(options =>
    {
        options.RepositoryPath = Path.Combine(_sandbox.Root, "real");
        options.Slots = 1;
        configure?.Invoke(options);
    });

    /// <summary>Every file with its bytes.</summary>
    private static string Listing(string slot) => string.Join('\n', Directory.EnumerateFiles(slot, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 })
        .Where(file => Path.GetRelativePath(slot, file) != ".git").Order(StringComparer.Ordinal)
        .Select(file => $"{Path.GetRelativePath(slot, file)} {Convert.ToHexString(File.ReadAllBytes(file))}"));

    /// <summary>Of everything in these directories when it was last written, and when anything about it was last changed.</summary>
    private static string Stamps(params string[] directories)
    {
        using var find = System.Diagnostics.Process.Start(new ProcessStartInfo("find", [.. directories, "-printf", "%p %i %m %T@ %C@\\n"]) { RedirectStandardOutput = true })!;
        string listed = find.StandardOutput.ReadToEnd();
        find.WaitForExit();
        return string.Join('\n', listed.Split('\n').Order(StringComparer.Ordinal));
    }

    /// <summary>When each file and directory of a slot and of its admin directory was last written.</summary>
    private static Dictionary<string, DateTime> Written(params string[] directories) => directories
        .SelectMany(directory => new DirectoryInfo(directory).EnumerateFileSystemInfos("*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 }).Append(new DirectoryInfo(directory)))
        .ToDictionary(entry => entry.FullName, entry => entry.LastWriteTimeUtc);

    private async Task ShellAsync(string script)
    {
        var start = new ProcessStartInfo("bash", ["-euc", script]) { WorkingDirectory = _sandbox.Root, RedirectStandardError = true, RedirectStandardOutput = true };
        foreach ((string name, string value) in new[] { ("GIT_AUTHOR_NAME", "Tester"), ("GIT_AUTHOR_EMAIL", "tester@example.invalid"), ("GIT_COMMITTER_NAME", "Tester"), ("GIT_COMMITTER_EMAIL", "tester@example.invalid") })
        {
            start.Environment[name] = value;
        }

        using System.Diagnostics.Process shell = System.Diagnostics.Process.Start(start)!;
        Task<string> output = shell.StandardOutput.ReadToEndAsync(Token);
        string error = await shell.StandardError.ReadToEndAsync(Token);
        await output;
        await shell.WaitForExitAsync(Token);
        shell.ExitCode.Should().Be(0, error);
    }
}
