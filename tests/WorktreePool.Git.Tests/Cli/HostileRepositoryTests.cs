using WorktreePool.Git.Auto;
using WorktreePool.Git.Cli;
using WorktreePool.Testing.Conformance;

namespace WorktreePool.Git.Tests.Cli;

/// <summary>What somebody planted in the repository neither holds the pool, nor runs, nor is believed; and the doctor hears of it.</summary>
public sealed class HostileRepositoryTests : IAsyncLifetime
{
    private TestRepository _repository = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _repository = await TestRepository.CreateAsync();

    public ValueTask DisposeAsync() => _repository.DisposeAsync();

    [Theory]
    [InlineData("refs/heads/x")]
    [InlineData("refs/remotes/origin/main")]
    [InlineData("packed-refs")]
    [InlineData("config")]
    [InlineData("shallow")]
    [InlineData("info/grafts")]
    [InlineData("logs/refs/heads/main")]
    [InlineData("objects/info/alternates")]
    [InlineData("objects/info/commit-graph")]
    [InlineData("objects/pack/multi-pack-index")]
    public async Task A_pipe_where_git_opens_a_file_holds_nobody_and_is_told_of(string place)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "pipes are set aside on Linux");
        (AutoGitBackend git, SlotPlace slot) = await ProvisionAsync();
        string main = Path.Combine(_repository.Main, ".git");
        await _repository.ShellAsync(main, "git update-ref refs/heads/kept HEAD; rm -f \"$1\"; mkdir -p \"$(dirname \"$1\")\"; mkfifo \"$1\"", place);
        await File.AppendAllTextAsync(Path.Combine(slot.Path, "README.md"), "work", Token);

        (await git.ProbeAsync(slot, new SlotTarget(_repository.Commit), Token)).IsReady.Should().BeFalse();
        await git.RescueAsync(slot, new RescueRequest("K", 1, null, _repository.Commit, "release", new DateTimeOffset(2026, 6, 3, 21, 0, 0, TimeSpan.Zero)), Token);
        slot = slot with { Admin = await git.RepairAsync(slot, _repository.Commit, RepairLevel.Reset, Token) };
        await git.ResolveAsync("refs/remotes/origin/main", Token);

        (await git.ProbeAsync(slot, new SlotTarget(_repository.Commit), Token)).Findings.Should().BeEmpty();
        (await git.InspectAsync(Token)).Findings.Should().Contain(finding => finding.Id == FindingIds.RepositoryResidue && finding.Detail.Contains(place.Replace('/', ','), StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_commit_graph_that_lies_is_not_believed_and_told_of()
    {
        (AutoGitBackend git, SlotPlace slot) = await ProvisionAsync();
        await _repository.ShellAsync(_repository.Main, """
            git commit-graph write --reachable 2> /dev/null
            python3 - "$(git rev-parse origin/main^{tree})" "$(git rev-parse origin/main~1^{tree})" <<'P'
            import sys,hashlib,os
            p='.git/objects/info/commit-graph'; d=open(p,'rb').read()[:-20]; a,b=map(bytes.fromhex,sys.argv[1:3])
            assert a in d; d=d.replace(a,b); os.chmod(p,0o644); open(p,'wb').write(d+hashlib.sha1(d).digest())
            P
            """);
        await File.AppendAllTextAsync(Path.Combine(slot.Path, "README.md"), "work", Token);

        await new CliGitBackend(Options, TimeProvider.System).RepairAsync(slot, _repository.Commit, RepairLevel.Recreate, Token);

        (await git.ProbeAsync(slot, new SlotTarget(_repository.Commit), Token)).Findings.Should().BeEmpty();
        (await File.ReadAllTextAsync(Path.Combine(slot.Path, "README.md"), Token)).Should().Be("hello\n");
        (await git.InspectAsync(Token)).Findings.Should().ContainSingle(finding => finding.Id == FindingIds.RepositoryResidue).Which.Detail.Should().Contain("commit-graph does not say");
    }

    [Fact]
    public async Task An_index_over_packs_that_lies_is_not_believed_and_told_of()
    {
        (AutoGitBackend git, SlotPlace slot) = await ProvisionAsync();
        await _repository.ShellAsync(_repository.Main, """
            git repack -adq; echo x | git hash-object -w --stdin > x; cat x | git pack-objects -q .git/objects/pack/pack > /dev/null; git multi-pack-index write 2> /dev/null
            python3 - "$(git rev-parse origin/main:README.md)" "$(git rev-parse origin/main~1:README.md)" <<'P'
            import sys,hashlib,os
            p='.git/objects/pack/multi-pack-index'; d=bytearray(open(p,'rb').read()[:-20]); a,b=map(bytes.fromhex,sys.argv[1:3])
            chunks={bytes(d[i:i+4]): int.from_bytes(d[i+4:i+12],'big') for i in range(12,12+12*d[6],12)}; ids=chunks[b'OIDL']; at=chunks[b'OOFF']
            i,j=[(d.index(x,ids)-ids)//20 for x in (a,b)]
            d[at+8*i:at+8*i+8],d[at+8*j:at+8*j+8]=d[at+8*j:at+8*j+8],d[at+8*i:at+8*i+8]
            os.chmod(p,0o644); open(p,'wb').write(d+hashlib.sha1(d).digest())
            P
            """);
        await File.AppendAllTextAsync(Path.Combine(slot.Path, "README.md"), "work", Token);

        await new CliGitBackend(Options, TimeProvider.System).RepairAsync(slot, _repository.Commit, RepairLevel.Recreate, Token);

        (await git.ProbeAsync(slot, new SlotTarget(_repository.Commit), Token)).Findings.Should().BeEmpty();
        (await File.ReadAllTextAsync(Path.Combine(slot.Path, "README.md"), Token)).Should().Be("hello\n");
        (await git.InspectAsync(Token)).Findings.Should().ContainSingle(finding => finding.Id == FindingIds.RepositoryResidue).Which.Detail.Should().Contain("multi-pack-index does not say");
    }

    [Theory]
    [InlineData("git commit-graph write --reachable 2> /dev/null; f=.git/objects/info/commit-graph", "commit-graph is damaged")]
    [InlineData("git repack -adqb 2> /dev/null; f=$(ls .git/objects/pack/*.bitmap)", ".bitmap is damaged")]
    public async Task What_git_makes_to_be_quicker_is_told_of_when_it_is_damaged(string script, string told)
    {
        (AutoGitBackend git, _) = await ProvisionAsync();
        (await git.InspectAsync(Token)).Findings.Should().BeEmpty();
        await _repository.ShellAsync(_repository.Main, script + "; chmod u+w $f; printf x | dd of=$f bs=1 seek=20 conv=notrunc 2> /dev/null");

        (await git.InspectAsync(Token)).Findings.Should().ContainSingle(finding => finding.Id == FindingIds.RepositoryResidue).Which.Detail.Should().Contain(told);
    }

    [Theory]
    [InlineData("printf '[broken' > .git/config")]
    [InlineData("git config core.repositoryformatversion 1; git config extensions.fromTheFuture true")]
    [InlineData("rm .git/config; ln -s config .git/config")]
    public async Task A_config_that_git_cannot_read_is_saved_aside_and_the_trusted_one_put_back(string script)
    {
        (AutoGitBackend git, SlotPlace slot) = await ProvisionAsync();
        string config = Path.Combine(_repository.Main, ".git", "config"), trusted = await File.ReadAllTextAsync(config, Token);
        await _repository.ShellAsync(_repository.Main, script);
        string broken = new FileInfo(config).LinkTarget is { } target ? $"# a link to {target}\n" : await File.ReadAllTextAsync(config, Token);

        await git.StartBranchAsync(slot, "ticket", _repository.Commit, Token);

        (await File.ReadAllTextAsync(config, Token)).Should().Be(trusted);
        string[] saved = Directory.GetFiles(Path.GetDirectoryName(config)!, "config.worktree-pool-saved-*");
        saved.Select(File.ReadAllText).Should().Equal(broken);
        (await git.InspectAsync(Token)).Findings.Select(finding => finding.Id).Distinct().Should().Equal(FindingIds.ConfigDrift);
    }

    [Fact]
    public async Task A_filter_that_leads_into_the_slot_is_not_run_and_told_of()
    {
        await _repository.ShellAsync(_repository.Main, """
            mkdir tools && printf '#!/bin/sh\ntouch %s/PWNED\ncat\n' "$1" > tools/f && chmod +x tools/f
            echo '*.md filter=x' > .gitattributes && git add . && git commit -qm x
            git config filter.x.clean tools/f && git config filter.x.smudge tools/f && git config filter.x.required true
            """, _repository.Root);
        string commit = await _repository.GitAsync(_repository.Main, "rev-parse", "HEAD");
        var git = new AutoGitBackend(new CliGitBackend(Options, TimeProvider.System), Options);
        await git.TrustAsync(Token);
        SlotPlace slot = _repository.Place("slot-0");

        slot = slot with { Admin = await git.RepairAsync(slot, commit, RepairLevel.Rebuild, Token) };

        (await git.ProbeAsync(slot, new SlotTarget(commit), Token)).Findings.Should().BeEmpty();
        File.Exists(Path.Combine(_repository.Root, "PWNED")).Should().BeFalse();
        (await git.InspectAsync(Token)).Findings.Should().Contain(finding => finding.Id == FindingIds.FilterMissing && finding.Detail.Contains("tools/f", StringComparison.Ordinal));
    }

    private WorktreePoolOptions Options => new() { RepositoryPath = _repository.Main, PoolDirectory = _repository.Pool };

    private async Task<(AutoGitBackend Git, SlotPlace Slot)> ProvisionAsync()
    {
        var git = new AutoGitBackend(new CliGitBackend(Options, TimeProvider.System), Options);
        await git.TrustAsync(Token);
        SlotPlace slot = _repository.Place("slot-0");
        return (git, slot with { Admin = await git.RepairAsync(slot, _repository.Commit, RepairLevel.Rebuild, Token) });
    }
}
