using System.Diagnostics;

namespace WorktreePool.Process.Tests.BadInput;

/// <summary>Wrong command lines on a pool that works.</summary>
public sealed class BadRequestTests(SharedPool pool) : IClassFixture<SharedPool>
{
    private readonly Sandbox _sandbox = pool.Sandbox;

    [Theory]
    [InlineData("", "empty")]
    [InlineData("   ", "empty")]
    [InlineData("MC-1\nMC-2", "control character")]
    [InlineData("MC\t1", "control character")]
    [InlineData("MC-1\u001b[31m", "control character")]
    public async Task A_key_that_is_not_allowed(string key, string words)
    {
        await _sandbox.ShouldRefuseAsync(64, words, "claim", "--key", key);
        await _sandbox.ShouldRefuseAsync(64, words, "run", "--key", key, "--", "true");
        await _sandbox.ShouldRefuseAsync(64, words, "release", "--key", key);
    }

    [Theory]
    [InlineData(201)]
    [InlineData(500)]
    public Task A_key_that_is_too_long(int length) =>
        _sandbox.ShouldRefuseAsync(64, $"{length} characters|at most 200", "claim", "--key", new string('x', length));

    [Theory]
    [InlineData("a..b")]
    [InlineData("a b")]
    [InlineData("a:b")]
    [InlineData("a\\b")]
    [InlineData("a.lock")]
    [InlineData("a/.b")]
    [InlineData("a@{b")]
    [InlineData("-a")]
    [InlineData("refs/heads/a")]
    public Task A_branch_name_that_git_refuses(string branch) => _sandbox.ShouldRefuseAsync(64, $"\"{branch}\"|check-ref-format", "claim", "--key", "K", $"--branch={branch}");

    [Theory]
    [InlineData("main", "exists already")]
    [InlineData("main/fix", "a branch \"main\" exists")]
    public Task A_branch_that_is_in_the_way_of_the_users(string branch, string words) => _sandbox.ShouldRefuseAsync(70, $"{words}|No slot was claimed", "claim", "--key", "K", "--branch", branch);

    [Fact]
    public Task A_base_that_does_not_exist() => _sandbox.ShouldRefuseAsync(70, "\"nope\" names no commit", "claim", "--key", "K", "--base", "nope");

    [Fact]
    public Task A_resize_onto_a_base_that_does_not_exist() =>
        _sandbox.ShouldRefuseAsync(70, "\"nope\" names no commit", "init", "--repo", _sandbox.Repository, "--slots", "3", "--base", "nope");

    [Fact]
    public Task Another_repository_for_the_same_pool() =>
        _sandbox.ShouldRefuseAsync(78, _sandbox.Repository, "init", "--repo", Path.Combine(_sandbox.Root, "seed"));

    [Theory]
    [InlineData("--wait", "30", "claim", "--key", "K")]
    [InlineData("--wait", "abc", "claim", "--key", "K")]
    [InlineData("--wait", "-5s", "claim", "--key", "K")]
    [InlineData("--lease", "1d", "claim", "--key", "K")]
    [InlineData("--lease", "1e3s", "claim", "--key", "K")]
    [InlineData("--lease", "1,5s", "claim-many", "--key", "K")]
    [InlineData("--every", "s", "maintain")]
    [InlineData("--every", "99999999999h", "maintain")]
    [InlineData("--claim-timeout", "1:2:3:4:5", "config")]
    [InlineData("--host-timeout", "soon", "config")]
    public Task A_malformed_duration(string option, string duration, params string[] command) =>
        _sandbox.ShouldRefuseAsync(64, $"{option}|\"{duration}\"|500ms, 30s", [.. command, $"{option}={duration}"]);

    [Fact]
    public Task A_lease_of_no_length() => _sandbox.ShouldRefuseAsync(64, "--lease must be more than zero", "claim", "--key", "K", "--lease", "0s");

    [Fact]
    public Task An_owner_that_does_not_run()
    {
        using var gone = System.Diagnostics.Process.Start(new ProcessStartInfo("true"))!;
        gone.WaitForExit();
        return _sandbox.ShouldRefuseAsync(64, $"--owner-pid {gone.Id}|no such process", "claim", "--key", "K", "--owner-pid", $"{gone.Id}");
    }

    [Theory]
    [InlineData("exclude each other", "claim", "--key", "K", "--owner-pid", "1", "--lease", "1h")]
    [InlineData("exclude each other", "claim", "--key", "K", "--wait", "1s", "--no-wait")]
    [InlineData("exclude each other", "release", "--key", "K", "--discard", "--rescue")]
    [InlineData("either --token or --key", "release")]
    [InlineData("either --token or --key", "release", "--token", "T", "--key", "K")]
    [InlineData("not of the form K=V", "claim", "--key", "K", "--meta", "novalue")]
    [InlineData("not of the form K=V", "claim", "--key", "K", "--meta", "=value")]
    [InlineData("gives a twice", "claim", "--key", "K", "--meta", "a=1", "--meta", "a=2")]
    [InlineData("--limit must be at least 1", "history", "--limit", "0")]
    [InlineData("--limit is \"many\"", "history", "--limit", "many")]
    [InlineData("--every must be more than zero", "maintain", "--every", "0s")]
    [InlineData("No key was given", "claim-many")]
    [InlineData("--key", "claim")]
    [InlineData("--branch", "rescue", "restore", "ID")]
    [InlineData("list, show, restore, drop", "rescue")]
    [InlineData("\"extra\"", "status", "extra")]
    [InlineData("command", "run", "--key", "K")]
    [InlineData("command", "run", "--key", "K", "--")]
    public Task Options_that_make_no_sense(string words, params string[] arguments) => _sandbox.ShouldRefuseAsync(64, words, arguments);

    [Theory]
    [InlineData("\"cliam\" is no command|mean claim?", "cliam")]
    [InlineData("\"--kye\" is no option of claim|mean --key?", "claim", "--kye", "K")]
    [InlineData("\"--pol\" is no option of status|mean --pool?", "status", "--pol", "x")]
    [InlineData("\"lst\" is no command of rescue|mean list?", "rescue", "lst")]
    public Task A_mistake_gets_a_suggestion(string words, params string[] arguments) => _sandbox.ShouldRefuseAsync(64, words, arguments);

    [Theory]
    [InlineData("show", "ID")]
    [InlineData("drop", "ID")]
    [InlineData("restore", "ID", "--branch", "b")]
    [InlineData("show", "../../heads/main")]
    [InlineData("drop", "../../heads/main")]
    public Task A_rescue_that_is_not_there(params string[] arguments) => _sandbox.ShouldRefuseAsync(70, "no rescue", ["rescue", .. arguments]);

    [Theory]
    [InlineData("rubbish")]
    [InlineData("slot-0.1.00000000000000000000000000000000")]
    [InlineData("slot-99.1.00000000000000000000000000000000")]
    public async Task A_token_that_proves_nothing(string token)
    {
        foreach (string[] command in new string[][] { ["attach"], ["renew"], ["release"], ["claim", "--key", "K"] })
        {
            await _sandbox.ShouldRefuseAsync(77, "", [.. command, "--token", token]);
        }
    }

    [Fact]
    public Task A_key_that_nobody_holds() => _sandbox.ShouldRefuseAsync(77, "\"MC-404\"|Nothing was touched", "release", "--key", "MC-404");
}
