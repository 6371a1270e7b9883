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

    [Fact]
    public Task Isolated_repositories_are_not_there_yet() =>
        sandbox.ShouldRefuseAsync(64, "--isolated is not supported", "init", "--repo", sandbox.Repository, "--isolated");
}
