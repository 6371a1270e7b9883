using Xunit;

namespace WorktreePool.Testing.Conformance;

public abstract partial class GitBackendConformance
{
    /// <summary>The names of the ways to damage a slot.</summary>
    public static TheoryData<string> Damages => [.. SlotDamage.All.Select(damage => damage.Name)];

    /// <summary>An absent slot is made by a rebuild, and is ready.</summary>
    [Fact]
    public async Task Rebuild_makes_an_absent_slot()
    {
        SlotPlace place = _repository.Place("slot-0");
        SlotProbe absent = await ProbeAsync(place);
        Assert.Contains(absent.Findings, finding => finding.Id == FindingIds.SlotMissing);
        await AssertReadyAsync(await ProvisionAsync());
        Assert.Contains(place.Path, await _repository.GitAsync(_repository.Common, "worktree", "list", "--porcelain"));
    }

    /// <summary>A slot that is ready is found without the name of its admin directory, too.</summary>
    [Fact]
    public async Task Probe_names_the_admin_directory()
    {
        SlotPlace place = await ProvisionAsync();
        Assert.Equal(place.Admin, (await ProbeAsync(place)).Admin);
        Assert.Equal(place.Admin, (await ProbeAsync(place with { Admin = null })).Admin);
    }

    /// <summary>A reset of an absent slot is refused, and makes nothing.</summary>
    [Fact]
    public async Task Reset_refuses_an_absent_slot()
    {
        SlotPlace place = _repository.Place("slot-0");
        await Assert.ThrowsAnyAsync<GitBackendException>(async () => await _git.RepairAsync(place, _repository.Commit, RepairLevel.Reset, Token));
        Assert.False(Path.Exists(place.Path));
    }

    /// <summary>Each damage is found, healed by the level that must heal it and by every stronger one, and nothing else changes.</summary>
    [Theory]
    [MemberData(nameof(Damages))]
    public async Task Damage_is_found_and_healed(string name)
    {
        SlotDamage damage = SlotDamage.All.Single(damage => damage.Name == name);
        SlotPlace place = await ProvisionAsync();
        SlotPlace sibling = await ProvisionAsync("slot-1");
        for (RepairLevel level = damage.HealedBy; level <= RepairLevel.Recreate; level++)
        {
            await DamageAsync(place, sibling, damage.Script);
            string neighbours = await NeighboursAsync(sibling);

            // Whoever takes a slot over evicts first, whatever it finds: that heals nothing, hides nothing and harms nobody.
            await _git.EvictAsync(place, Token);

            SlotProbe probe = await ProbeAsync(place);
            Assert.True(probe.Findings.Any(finding => damage.Found.Contains(finding.Id)), $"expected one of {string.Join(", ", damage.Found)}, found {string.Join("; ", probe.Findings)}");

            await TryWeakerAsync(place, level);
            place = place with { Admin = await _git.RepairAsync(place, _repository.Commit, level, Token) };
            Assert.Equal(neighbours, await NeighboursAsync(sibling));
            await AssertReadyAsync(place);
            Assert.Empty((await ProbeAsync(sibling)).Findings);
        }
    }

    /// <summary>The pool's record may have been lost with the name of the admin directory.</summary>
    [Fact]
    public async Task Rebuild_finds_a_slot_whose_admin_name_is_unknown()
    {
        SlotPlace place = await ProvisionAsync();
        File.Delete(Path.Combine(place.Path, ".git"));
        string admin = await _git.RepairAsync(place with { Admin = null }, _repository.Commit, RepairLevel.Rebuild, Token);
        await AssertReadyAsync(place with { Admin = admin });
    }

    /// <summary>A build tool sees no change where nothing was wrong.</summary>
    /// <param name="level">How the slot is repaired.</param>
    [Theory]
    [InlineData(RepairLevel.Reset)]
    [InlineData(RepairLevel.Rebuild)]
    public async Task Repair_keeps_the_times_of_files_that_were_right(RepairLevel level)
    {
        SlotPlace place = await ProvisionAsync();
        await _repository.ShellAsync(place.Path, "find . -type f ! -name .git -exec touch -d 2020-01-01T00:00:00Z {} +");
        await File.AppendAllTextAsync(Path.Combine(place.Path, "README.md"), "more", Token);
        await _git.RepairAsync(place, _repository.Commit, level, Token);
        await AssertReadyAsync(place);
        Assert.Equal(2020, File.GetLastWriteTimeUtc(Path.Combine(place.Path, "src", "app.cs")).Year);
    }

    /// <summary>A slot moves to another commit and back.</summary>
    /// <param name="level">How the slot is repaired.</param>
    [Theory]
    [InlineData(RepairLevel.Reset)]
    [InlineData(RepairLevel.Rebuild)]
    [InlineData(RepairLevel.Recreate)]
    public async Task Repair_moves_a_slot(RepairLevel level)
    {
        SlotPlace place = await ProvisionAsync();
        place = place with { Admin = await _git.RepairAsync(place, _repository.Older, level, Token) };
        await AssertReadyAsync(place, _repository.Older);
        Assert.Contains((await ProbeAsync(place)).Findings, finding => finding.Id == FindingIds.WrongCommit);
        place = place with { Admin = await _git.RepairAsync(place, _repository.Commit, level, Token) };
        await AssertReadyAsync(place);
    }

    /// <summary>A commit whose tree would write outside of the slot, or over git's own files, is refused.</summary>
    /// <param name="name">The name in its tree.</param>
    [Theory]
    [InlineData("..")]
    [InlineData(".git")]
    [InlineData(".GIT")]
    public async Task Repair_refuses_a_tree_that_leads_astray(string name)
    {
        SlotPlace place = await ProvisionAsync();
        string commit = await _repository.ShellAsync(_repository.Common, """
            b=$(echo stray | git hash-object -w --stdin)
            t=$(printf '100644 blob %s\tstray\n' "$b" | git mktree)
            r=$(printf '040000 tree %s\t%s\n' "$t" "$1" | git mktree)
            git commit-tree -m astray "$r" </dev/null
            """, name);
        string before = await _repository.FingerprintAsync(_repository.Outside, _repository.Main);
        await Assert.ThrowsAnyAsync<GitBackendException>(async () => await _git.RepairAsync(place, commit, RepairLevel.Reset, Token));
        Assert.Equal(before, await _repository.FingerprintAsync(_repository.Outside, _repository.Main));
        Assert.False(File.Exists(Path.Combine(Path.GetDirectoryName(place.Path)!, "stray")));
        await _git.RepairAsync(place, _repository.Commit, RepairLevel.Rebuild, Token);
        await AssertReadyAsync(place);
    }

    /// <summary>A commit that does not exist is refused.</summary>
    /// <param name="level">How the slot is repaired.</param>
    [Theory]
    [InlineData(RepairLevel.Reset)]
    [InlineData(RepairLevel.Rebuild)]
    public async Task Repair_refuses_a_commit_that_does_not_exist(RepairLevel level)
    {
        SlotPlace place = await ProvisionAsync();
        await Assert.ThrowsAnyAsync<GitBackendException>(async () => await _git.RepairAsync(place, new string('1', 40), level, Token));
    }

    /// <summary>What a pattern keeps survives, is not found, and gives no shelter to a link.</summary>
    [Fact]
    public async Task Keep_patterns_keep_directories_and_nothing_else()
    {
        _git = Create(Options(null, "/.cache/", "/src/obj/"));
        SlotPlace place = await ProvisionAsync();
        await _repository.ShellAsync(place.Path, "mkdir -p .cache/deep src/obj other/.cache && echo x > .cache/deep/x && echo y > src/obj/y && echo z > other/.cache/z");
        SlotProbe probe = await ProbeAsync(place);
        Assert.Equal(FindingIds.Untracked, Assert.Single(probe.Findings).Id);
        foreach (RepairLevel level in new[] { RepairLevel.Reset, RepairLevel.Rebuild })
        {
            await _git.RepairAsync(place, _repository.Commit, level, Token);
            Assert.Empty((await ProbeAsync(place)).Findings);
            Assert.Equal("x\n", await File.ReadAllTextAsync(Path.Combine(place.Path, ".cache", "deep", "x"), Token));
            Assert.Equal("y\n", await File.ReadAllTextAsync(Path.Combine(place.Path, "src", "obj", "y"), Token));
            Assert.False(Path.Exists(Path.Combine(place.Path, "other")));
        }

        await _repository.ShellAsync(place.Path, "rm -r .cache && ln -s \"$1\" .cache", _repository.Outside);
        Assert.Contains((await ProbeAsync(place)).Findings, finding => finding.Id == FindingIds.Untracked);
        await _git.RepairAsync(place, _repository.Commit, RepairLevel.Reset, Token);
        Assert.False(Path.Exists(Path.Combine(place.Path, ".cache")));
        Assert.True(File.Exists(Path.Combine(_repository.Outside, "precious.txt")));
    }

    /// <summary>Tracked names that are no plain text are checked out, found changed, and healed like others.</summary>
    [Fact]
    public async Task Odd_tracked_names_are_like_others()
    {
        await _repository.ShellAsync(Path.Combine(_repository.Root, "seed"), """
            printf x > "$(printf 'new\nline')"; printf x > ./-rf; printf x > "$(printf 'caf\351')"; printf x > 'back\slash'; printf x > '*'; printf x > ':(top)'
            git add -A && git commit -qm odd && git push -q ../origin.git main
            """);
        string commit = (await _git.FetchAsync("refs/remotes/origin/main", Token))!;
        SlotPlace place = await ProvisionAsync();
        if (!ChecksOutAnyName)
        {
            await Assert.ThrowsAnyAsync<GitBackendException>(async () => await _git.RepairAsync(place, commit, RepairLevel.Reset, Token));
            await AssertReadyAsync(place);
            return;
        }

        await _git.RepairAsync(place, commit, RepairLevel.Reset, Token);
        Assert.Empty((await ProbeAsync(place, commit)).Findings);
        foreach (string change in new[] { "printf y > \"$(printf 'new\\nline')\"", "printf y > ./-rf", "rm \"$(printf 'caf\\351')\"", "chmod +x \"$(printf 'caf\\351')\"", "printf y > 'back\\slash'", "printf yy > '*'", "rm ':(top)'" })
        {
            await _repository.ShellAsync(place.Path, change);
            Assert.Contains((await ProbeAsync(place, commit)).Findings, finding => finding.Id == FindingIds.TreeDiffers);
            await _git.RepairAsync(place, commit, RepairLevel.Reset, Token);
            Assert.Empty((await ProbeAsync(place, commit)).Findings);
        }
    }

    /// <summary>Hooks that a holder planted do not run.</summary>
    [Fact]
    public async Task Planted_hooks_and_filters_do_not_run()
    {
        SlotPlace place = await ProvisionAsync();
        await _repository.ShellAsync(_repository.Common, """
            for hook in post-checkout post-index-change reference-transaction; do printf '#!/bin/sh\ntouch %s/ran\n' "$1" > hooks/$hook; chmod +x hooks/$hook; done
            git config core.fsmonitor "touch $1/ran; false"
            git config filter.evil.clean "touch $1/ran; cat" && git config filter.evil.smudge "touch $1/ran; cat"
            """, _repository.Outside);
        await _repository.ShellAsync(place.Path, "echo '* filter=evil' > .gitattributes && echo x >> README.md");
        await ProbeAsync(place);
        await _git.RescueAsync(place, Request(), Token);
        foreach (RepairLevel level in Enum.GetValues<RepairLevel>())
        {
            await _git.RepairAsync(place, _repository.Commit, level, Token);
        }

        Assert.False(File.Exists(Path.Combine(_repository.Outside, "ran")));
    }

    /// <summary>Slots made at once do not disturb each other.</summary>
    [Fact]
    public async Task Slots_are_made_side_by_side()
    {
        SlotPlace[] places = await Task.WhenAll(Enumerable.Range(0, 6).Select(n => ProvisionAsync($"slot-{n}")));
        foreach (SlotPlace place in places)
        {
            await AssertReadyAsync(place);
        }
    }

    /// <summary>Where no dead process left anything, an eviction changes nothing, as often as it is asked for; a slot that was never made is no error.</summary>
    [Fact]
    public async Task Evict_leaves_a_sound_slot_as_it_is()
    {
        await _git.EvictAsync(_repository.Place("slot-1"), Token);
        SlotPlace place = await ProvisionAsync();
        string before = await _repository.FingerprintAsync(place.Path, _repository.AdminDirectory(place.Admin!));
        await _git.EvictAsync(place, Token);
        await _git.EvictAsync(place, Token);
        Assert.Equal(before, await _repository.FingerprintAsync(place.Path, _repository.AdminDirectory(place.Admin!)));
        await AssertReadyAsync(place);
    }

    /// <summary>A removed slot is gone from disk and from git, and removing it again is fine.</summary>
    [Fact]
    public async Task Remove_leaves_nothing()
    {
        SlotPlace place = await ProvisionAsync();
        SlotPlace sibling = await ProvisionAsync("slot-1");
        await _repository.ShellAsync(place.Path, "mkdir ro && echo x > ro/x && chmod 500 ro");
        string neighbours = await NeighboursAsync(sibling);
        await _git.RemoveAsync(place, Token);
        await _git.RemoveAsync(place, Token);
        Assert.False(Path.Exists(place.Path));
        Assert.False(Path.Exists(_repository.AdminDirectory(place.Admin!)));
        Assert.Equal(neighbours, await NeighboursAsync(sibling));
        await AssertReadyAsync(sibling);
    }

    /// <summary>A cancelled call ends with cancellation, and the slot can be repaired.</summary>
    [Fact]
    public async Task Cancellation_is_heard()
    {
        SlotPlace place = await ProvisionAsync();
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await _git.ProbeAsync(place, new SlotTarget(_repository.Commit), cancelled.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await _git.RepairAsync(place, _repository.Commit, RepairLevel.Recreate, cancelled.Token));
        await _git.RepairAsync(place, _repository.Commit, RepairLevel.Rebuild, Token);
        await AssertReadyAsync(place);
    }

    /// <summary>A weaker repair may refuse, and must not make anything worse.</summary>
    private async Task TryWeakerAsync(SlotPlace place, RepairLevel level)
    {
        for (RepairLevel weaker = RepairLevel.Reset; weaker < level; weaker++)
        {
            try
            {
                await _git.RepairAsync(place, _repository.Commit, weaker, Token);
            }
            catch (GitBackendException)
            {
            }
        }
    }
}
