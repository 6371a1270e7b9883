using Xunit;

namespace WorktreePool.Testing.Conformance;

public abstract partial class GitBackendConformance
{
    private static readonly DateTimeOffset At = new(2026, 6, 3, 21, 0, 0, TimeSpan.Zero);

    /// <summary>A slot without work gives no rescue.</summary>
    [Fact]
    public async Task Nothing_to_rescue_is_no_rescue()
    {
        SlotPlace place = await ProvisionAsync();
        Assert.Null(await _git.RescueAsync(place, Request(), Token));
        Assert.Empty(await _git.Rescues.ListAsync(Token));
    }

    /// <summary>Edited, deleted, staged, and untracked files are kept as they are, and the slot is not changed by it.</summary>
    [Fact]
    public async Task Uncommitted_work_is_kept()
    {
        SlotPlace place = await ProvisionAsync();
        await _repository.ShellAsync(place.Path, "echo edited >> README.md; rm src/app.cs; echo staged > staged.txt; git add staged.txt; mkdir new; echo untracked > new/file; chmod -x tool.sh");
        string before = await _repository.FingerprintAsync(place.Path, _repository.AdminDirectory(place.Admin!));

        Rescue rescue = (await _git.RescueAsync(place, Request(key: "MC-1"), Token))!;

        Assert.Equal(before, await _repository.FingerprintAsync(place.Path, _repository.AdminDirectory(place.Admin!)));
        Assert.StartsWith("refs/worktree-pool/rescue/", rescue.Ref, StringComparison.Ordinal);
        Assert.EndsWith("/" + rescue.Id, rescue.Ref, StringComparison.Ordinal);
        Assert.Equal((5, 0, "MC-1", "slot-0", "release"), (rescue.Files, rescue.Commits, rescue.Key, rescue.Slot, rescue.Reason));
        Assert.Equal(rescue.Commit, await _repository.GitAsync(_repository.Common, "rev-parse", rescue.Ref));
        Assert.Equal(_repository.Commit, await _repository.GitAsync(_repository.Common, "rev-parse", rescue.Commit + "^1"));
        Assert.Equal("hello\nedited", await _repository.GitAsync(_repository.Common, "show", rescue.Commit + ":README.md"));
        Assert.Equal("staged", await _repository.GitAsync(_repository.Common, "show", rescue.Commit + ":staged.txt"));
        Assert.Equal("untracked", await _repository.GitAsync(_repository.Common, "show", rescue.Commit + ":new/file"));
        Assert.Equal("", await _repository.GitAsync(_repository.Common, "ls-tree", rescue.Commit, "src/app.cs"));
        Assert.StartsWith("100644", await _repository.GitAsync(_repository.Common, "ls-tree", rescue.Commit, "tool.sh"), StringComparison.Ordinal);
    }

    /// <summary>
    /// Files where directories were and the other way round, a directory that became a link, names that are no UTF-8, and paths too deep: all
    /// that git can hold is kept, nothing is read through a link, and a pipe hangs nobody.
    /// </summary>
    [Fact]
    public async Task Work_is_kept_whatever_became_of_the_files()
    {
        SlotPlace place = await ProvisionAsync();
        await _repository.ShellAsync(place.Path, "rm README.md tool.sh mixed.txt; mkdir README.md; echo inside > README.md/file; rm -r src; ln -s ../../../outside src; mkfifo tool.sh pipe; mkdir mixed.txt");
        await _repository.ShellAsync(place.Path, "mkdir $'d\\xff'; echo odd > $'d\\xff/odd'; echo star > 'a*b'; d=deep; for i in $(seq 30); do d=$d/$(printf 'x%.0s' $(seq 99)); done; mkdir -p $d; echo deep > $d/leaf || true");

        Rescue rescue = (await _git.RescueAsync(place, Request(), Token))!;

        Assert.Equal("inside", await _repository.GitAsync(_repository.Common, "show", rescue.Commit + ":README.md/file"));
        Assert.Equal("../../../outside", await _repository.GitAsync(_repository.Common, "show", rescue.Commit + ":src"));
        Assert.Equal("star", await _repository.GitAsync(_repository.Common, "show", rescue.Commit + ":a*b"));
        Assert.Contains("/odd", await _repository.GitAsync(_repository.Common, "ls-tree", "-r", "--name-only", rescue.Commit), StringComparison.Ordinal);
        Assert.DoesNotContain("precious", await _repository.GitAsync(_repository.Common, "ls-tree", "-r", "--name-only", rescue.Commit), StringComparison.Ordinal);
    }

    /// <summary>The same epoch and content make one rescue; other content makes another.</summary>
    [Fact]
    public async Task Rescue_is_idempotent()
    {
        SlotPlace place = await ProvisionAsync();
        await _repository.ShellAsync(place.Path, "echo one > one");
        Rescue first = (await _git.RescueAsync(place, Request(), Token))!;
        Rescue again = (await _git.RescueAsync(place, Request(), Token))!;
        Assert.Equal(first.Id, again.Id);
        Assert.Single(await _git.Rescues.ListAsync(Token));

        await _repository.ShellAsync(place.Path, "echo two > two");
        Rescue other = (await _git.RescueAsync(place, Request(), Token))!;
        Assert.NotEqual(first.Id, other.Id);
        Assert.Equal(2, (await _git.Rescues.ListAsync(Token)).Count);
    }

    /// <summary>Commits on a detached HEAD are kept, and survive repair and garbage collection.</summary>
    [Fact]
    public async Task Unreachable_commits_are_kept()
    {
        SlotPlace place = await ProvisionAsync();
        await _repository.ShellAsync(place.Path, "echo a > a; git add -A; git commit -qm a; echo b > b; git add -A; git commit -qm b");
        string tip = await _repository.GitAsync(place.Path, "rev-parse", "HEAD");
        Rescue rescue = (await _git.RescueAsync(place, Request(), Token))!;
        Assert.Equal((0, 2), (rescue.Files, rescue.Commits));
        await _git.RepairAsync(place, _repository.Commit, RepairLevel.Recreate, Token);
        await _repository.GitAsync(_repository.Common, "gc", "-q", "--prune=now");
        await _repository.GitAsync(_repository.Common, "merge-base", "--is-ancestor", tip, rescue.Ref);
    }

    /// <summary>The lease's branch is about to be deleted, so its commits are rescued; another branch keeps its own, unless it is but another lease's.</summary>
    [Fact]
    public async Task Commits_of_the_lease_s_branch_are_kept()
    {
        SlotPlace place = await ProvisionAsync();
        await _git.StartBranchAsync(place, "ticket", _repository.Commit, Token);
        await _repository.ShellAsync(place.Path, "echo a > a; git add -A; git commit -qm a");
        if (!IsIsolated)
        {
            Assert.Null(await _git.RescueAsync(place, Request(), Token));
        }

        Rescue rescue = (await _git.RescueAsync(place, Request(branch: IsIsolated ? null : "ticket"), Token))!;
        Assert.Equal((0, 1), (rescue.Files, rescue.Commits));
    }

    /// <summary>Work in a slot whose index or HEAD is damaged is kept all the same.</summary>
    /// <param name="damage">What else is wrong.</param>
    [Theory]
    [InlineData("echo garbage > \"$admin/index\"")]
    [InlineData("rm \"$admin/index\"")]
    [InlineData("echo garbage > \"$admin/HEAD\"")]
    [InlineData(": > \"$admin/index.lock\"")]
    [InlineData("rm .git")]
    [InlineData("rm -r \"$admin\"")]
    [InlineData("git checkout -q -B side \"$older\" && echo side > README.md && git commit -qam side && ! git merge -q origin/main 2>/dev/null")]
    public async Task Work_in_a_damaged_slot_is_kept(string damage)
    {
        SlotPlace place = await ProvisionAsync();
        SlotPlace sibling = await ProvisionAsync("slot-1");
        await DamageAsync(place, sibling, "echo work > work.txt\n" + damage);
        await _git.EvictAsync(place, Token);
        Rescue rescue = (await _git.RescueAsync(place, Request(), Token))!;
        Assert.Equal("work", await _repository.GitAsync(_repository.Common, "show", rescue.Commit + ":work.txt"));
        Assert.True(File.Exists(Path.Combine(place.Path, "work.txt")));
    }

    /// <summary>An absent slot has no work.</summary>
    [Fact]
    public async Task An_absent_slot_has_nothing_to_rescue() =>
        Assert.Null(await _git.RescueAsync(_repository.Place("slot-0"), Request(), Token));

    /// <summary>Rescues can be listed, shown, restored, and dropped.</summary>
    [Fact]
    public async Task Rescues_are_listed_shown_restored_and_dropped()
    {
        SlotPlace place = await ProvisionAsync();
        await _repository.ShellAsync(place.Path, "echo precious-line > work.txt");
        Rescue rescue = (await _git.RescueAsync(place, Request(key: "MC-7"), Token))!;
        Assert.Equal(rescue, Assert.Single(await _git.Rescues.ListAsync(Token)));
        Assert.Contains("precious-line", await _git.Rescues.ShowAsync(rescue.Id, Token), StringComparison.Ordinal);

        await _git.Rescues.RestoreAsync(rescue.Id, "restored", Token);
        Assert.Equal(rescue.Commit, await _repository.GitAsync(_repository.Main, "rev-parse", "refs/heads/restored"));
        await Assert.ThrowsAnyAsync<GitBackendException>(async () => await _git.Rescues.RestoreAsync(rescue.Id, "restored", Token));
        await Assert.ThrowsAnyAsync<GitBackendException>(async () => await _git.Rescues.RestoreAsync(rescue.Id, "bad..name", Token));

        await _git.Rescues.DropAsync(rescue.Id, Token);
        Assert.Empty(await _git.Rescues.ListAsync(Token));
        await Assert.ThrowsAsync<RescueNotFoundException>(async () => await _git.Rescues.ShowAsync(rescue.Id, Token));
        await Assert.ThrowsAsync<RescueNotFoundException>(async () => await _git.Rescues.RestoreAsync(rescue.Id, "again", Token));
        await Assert.ThrowsAsync<RescueNotFoundException>(async () => await _git.Rescues.DropAsync(rescue.Id, Token));
        await Assert.ThrowsAsync<RescueNotFoundException>(async () => await _git.Rescues.DropAsync("../../heads/main", Token));
    }

    private RescueRequest Request(string? key = null, string? branch = null) => new(key, 1, branch, _repository.Commit, "release", At);
}
