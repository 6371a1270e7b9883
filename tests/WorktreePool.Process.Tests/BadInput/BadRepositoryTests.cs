namespace WorktreePool.Process.Tests.BadInput;

/// <summary>init over what cannot carry a pool, or with a shape no pool can have.</summary>
public sealed class BadRepositoryTests(Sandbox sandbox) : IClassFixture<Sandbox>
{
    private string In(string name) => Path.Combine(sandbox.Root, name);

    [Fact]
    public Task There_is_nothing() => sandbox.ShouldRefuseAsync(70, "does not exist", "init", "--repo", In("nothing"));

    [Fact]
    public Task A_directory_without_a_repository()
    {
        Directory.CreateDirectory(In("plain"));
        return sandbox.ShouldRefuseAsync(70, "is no git repository", "init", "--repo", In("plain"));
    }

    [Fact]
    public Task A_bare_repository() => sandbox.ShouldRefuseAsync(70, "bare repository|Name a clone", "init", "--repo", In("origin.git"));

    [Fact]
    public Task A_repository_without_a_commit()
    {
        Sandbox.Git(sandbox.Root, "init", "-q", "empty");
        return sandbox.ShouldRefuseAsync(70, "no commit|Commit or fetch something", "init", "--repo", In("empty"));
    }

    [Fact]
    public Task A_broken_git_link()
    {
        Directory.CreateDirectory(In("broken"));
        File.WriteAllText(Path.Combine(In("broken"), ".git"), "gitdir: /nowhere/at/all\n");
        return sandbox.ShouldRefuseAsync(70, In("broken"), "init", "--repo", In("broken"));
    }

    [Theory]
    [InlineData("nope")]
    [InlineData("origin/nope")]
    [InlineData("refs/heads/nope")]
    [InlineData("0000000000000000000000000000000000000001")]
    [InlineData("--all")]
    public Task A_base_that_does_not_exist(string name) =>
        sandbox.ShouldRefuseAsync(70, $"\"{name}\" names no commit", "init", "--repo", sandbox.Repository, $"--base={name}");

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("1001")]
    public Task Too_few_or_too_many_slots(string slots) =>
        sandbox.ShouldRefuseAsync(78, $"Slots is {slots}|1 to 1000", "init", "--repo", sandbox.Repository, "--slots", slots);

    [Theory]
    [InlineData("three")]
    [InlineData("2.5")]
    [InlineData("99999999999")]
    public Task Slots_that_are_no_number(string slots) =>
        sandbox.ShouldRefuseAsync(64, $"--slots|\"{slots}\"|no whole number", "init", "--repo", sandbox.Repository, "--slots", slots);

    [Fact]
    public Task Slots_inside_another_tools_worktree()
    {
        Sandbox.Git(sandbox.Repository, "worktree", "add", "-q", "--detach", In("other"));
        return sandbox.ShouldRefuseAsync(78, $"inside the worktree {In("other")}", "init", "--repo", sandbox.Repository, "--slots-dir", Path.Combine(In("other"), "deep", "slots"));
    }

    [Fact]
    public Task Slots_in_a_directory_that_is_not_empty()
    {
        Directory.CreateDirectory(In("full"));
        File.WriteAllText(Path.Combine(In("full"), "thesis.tex"), "");
        return sandbox.ShouldRefuseAsync(78, "not empty|thesis.tex", "init", "--repo", sandbox.Repository, "--slots-dir", In("full"));
    }

    [Fact]
    public Task Slots_in_a_file()
    {
        File.WriteAllText(In("file"), "");
        return sandbox.ShouldRefuseAsync(78, "is a file", "init", "--repo", sandbox.Repository, "--slots-dir", In("file"));
    }

    [Theory]
    [InlineData("../outside")]
    [InlineData("cache/")]
    [InlineData("/.git/hooks")]
    public Task A_keep_pattern_that_leaves_the_slot(string pattern) =>
        sandbox.ShouldRefuseAsync(78, $"\"{pattern}\"|anchored", "init", "--repo", sandbox.Repository, "--keep", pattern);

    [Theory]
    [InlineData(64, "--repo|--remote", "init")]
    [InlineData(78, "Remote|URL", "init", "--remote", "-x")]
    [InlineData(64, "--isolated false", "init", "--remote", "origin.git", "--isolated", "false")]
    [InlineData(64, "isolated|true or false", "init", "--repo", "repo", "--isolated", "perhaps")]
    [InlineData(70, "does not exist", "init", "--repo", "nothing", "--isolated")]
    [InlineData(70, "nothing.git|could not be fetched|No pool was made", "init", "--remote", "file:///nothing.git")]
    [InlineData(70, "names no commit", "init", "--repo", "repo", "--isolated", "--base", "nope")]
    public Task An_isolated_pool_that_cannot_be(int code, string words, params string[] arguments) => sandbox.ShouldRefuseAsync(code, words, arguments);

    [Fact]
    public Task An_isolated_pool_of_a_remote_without_a_branch()
    {
        Sandbox.Git(sandbox.Root, "init", "-q", "--bare", "hollow.git");
        return sandbox.ShouldRefuseAsync(70, "has no branch|Push a commit", "init", "--remote", "hollow.git");
    }
}

/// <summary>What a pool was made as, it stays.</summary>
public sealed class ConversionTests(Sandbox sandbox) : IClassFixture<Sandbox>
{
    [Fact]
    public async Task A_shared_pool_does_not_become_isolated_nor_the_other_way_round()
    {
        string shared = Path.Combine(sandbox.Root, "shared"), isolated = Path.Combine(sandbox.Root, "isolated");
        (await sandbox.RunAsync("init", "--repo", sandbox.Repository, "--slots", "1", "--pool", shared)).Code.Should().Be(0);
        (await sandbox.RunAsync("init", "--repo", sandbox.Repository, "--slots", "1", "--pool", isolated, "--isolated")).Code.Should().Be(0);

        await sandbox.ShouldRefuseAsync(78, "cannot become isolated|--pool", "init", "--repo", sandbox.Repository, "--pool", shared, "--isolated");
        await sandbox.ShouldRefuseAsync(78, "fetches from|--pool", "init", "--repo", sandbox.Repository, "--pool", isolated, "--remote", "file:///elsewhere.git");
        await sandbox.ShouldRefuseAsync(78, "stays so|--pool", "init", "--repo", sandbox.Repository, "--pool", isolated, "--isolated", "false");
        await sandbox.ShouldRefuseAsync(78, "made over the user's repository", new Invocation("claim", "--key", "K", "--pool", shared)
        {
            Environment = new Dictionary<string, string?> { ["WORKTREE_POOL__ISOLATED"] = "true" },
        });
        await sandbox.ShouldRefuseAsync(78, "a repository of its own", new Invocation("claim", "--key", "K", "--pool", isolated)
        {
            Environment = new Dictionary<string, string?> { ["WORKTREE_POOL__ISOLATED"] = "false" },
        });
        await sandbox.ShouldRefuseAsync(78, "fetches from", new Invocation("claim", "--key", "K", "--pool", isolated)
        {
            Environment = new Dictionary<string, string?> { ["WORKTREE_POOL__REMOTE"] = "file:///elsewhere.git" },
        });
    }
}
