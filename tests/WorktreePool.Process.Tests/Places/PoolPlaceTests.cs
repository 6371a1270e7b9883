using System.Text.Json;

namespace WorktreePool.Process.Tests.Places;

/// <summary>One pool opened by several names, copies of it, and several pools over one repository: each either works or is refused, and never shares a slot unawares.</summary>
public sealed class PoolPlaceTests : IAsyncLifetime
{
    private readonly Sandbox _sandbox = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Other => Path.Combine(_sandbox.Root, "other");

    public async ValueTask InitializeAsync() => await _sandbox.InitAsync(1);

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Fact]
    public async Task A_copy_of_a_pool_is_refused_and_touches_no_slot_of_the_original()
    {
        (await _sandbox.RunAsync("claim", "--key", "HELD", "--lease", "1h")).Code.Should().Be(0);
        await ShellAsync("cp -a \"$1\" \"$2\"", _sandbox.PoolDirectory, Other);
        foreach (string[] command in new string[][] { ["claim", "--key", "K"], ["release", "--key", "HELD"], ["maintain"], ["status"], ["doctor"], ["run", "--key", "K", "--", "true"], ["init", "--repo", _sandbox.Repository] })
        {
            (int code, _, string error) = await _sandbox.RunAsync(["--pool", Other, .. command]);
            code.Should().Be(78, "{0}: {1}", command[0], error);
            error.Should().ContainAll("copied or moved", _sandbox.Slot(0), Other);
        }

        (await _sandbox.RunAsync("claim", "--key", "K", "--no-wait")).Code.Should().Be(75, "the original's lease is as it was");
        (await _sandbox.RunAsync("release", "--key", "HELD")).Code.Should().Be(0);
        _sandbox.ShouldBeReady(0);
    }

    [Fact]
    public async Task A_pool_that_was_moved_is_refused_and_works_again_where_it_was()
    {
        Directory.Move(_sandbox.PoolDirectory, Other);
        (int code, _, string error) = await _sandbox.RunAsync("--pool", Other, "claim", "--key", "K");
        code.Should().Be(78, error);
        error.Should().ContainAll("copied or moved", "Move it back");

        Directory.Move(Other, _sandbox.PoolDirectory);

        (await _sandbox.RunAsync("run", "--key", "K", "--", "true")).Code.Should().Be(0);
        _sandbox.ShouldBeReady(0);
    }

    [Fact]
    public async Task A_pool_opened_through_a_link_is_the_same_pool()
    {
        Directory.CreateSymbolicLink(Other, _sandbox.PoolDirectory);
        (int code, JsonElement claimed) = await _sandbox.JsonAsync("--pool", Other, "claim", "--key", "K", "--branch", "cr/k", "--lease", "1h");
        code.Should().Be(0, claimed.ToString());
        claimed.GetProperty("path").GetString().Should().Be(_sandbox.Slot(0));

        (await _sandbox.RunAsync("claim", "--key", "K", "--no-wait")).Code.Should().Be(73, "one key, by whichever name");
        (await _sandbox.RunAsync("claim", "--key", "L", "--no-wait")).Code.Should().Be(75, "one slot, by whichever name");
        (await _sandbox.RunAsync("release", "--key", "K")).Code.Should().Be(0);
        (_, JsonElement doctor) = await _sandbox.JsonAsync("--pool", Other, "doctor");
        doctor.GetProperty("ready").GetBoolean().Should().BeTrue(doctor.ToString());
        _sandbox.ShouldBeReady(0);
    }

    [Fact]
    public async Task A_pool_of_another_machine_is_refused()
    {
        // As that machine writes them; the check over the name is left out.
        await ShellAsync("find \"$1\" -name '*.json' -path '*state*' -exec sed -i -z -e \"s/\\\"host\\\": \\\"$2\\\"/\\\"host\\\": \\\"elsewhere\\\"/\" -e 's/,\\n  \"check\": \"[0-9a-f]*\"//' {} +; rm \"$1\"/state-copy/*", _sandbox.PoolDirectory, Environment.MachineName);

        (int code, _, string error) = await _sandbox.RunAsync("claim", "--key", "K");

        code.Should().Be(78, error);
        error.Should().ContainAll("elsewhere", Environment.MachineName, "Nothing was changed");
    }

    [Fact]
    public async Task Two_pools_over_one_repository_do_not_meet()
    {
        (await _sandbox.RunAsync("--pool", Other, "init", "--repo", _sandbox.Repository, "--slots", "1")).Code.Should().Be(0);
        (_, JsonElement one) = await _sandbox.JsonAsync("claim", "--key", "K", "--branch", "cr/one", "--lease", "1h");
        (_, JsonElement two) = await _sandbox.JsonAsync("--pool", Other, "claim", "--key", "K", "--branch", "cr/two", "--lease", "1h");
        string first = one.GetProperty("path").GetString()!, second = two.GetProperty("path").GetString()!;
        first.Should().NotBe(second);
        await File.WriteAllTextAsync(Path.Combine(first, "work.txt"), "one\n", Token);
        await File.WriteAllTextAsync(Path.Combine(second, "work.txt"), "two\n", Token);

        (int code, _, string error) = await _sandbox.RunAsync("--pool", Other, "claim", "--key", "L", "--branch", "cr/one", "--no-wait");
        code.Should().NotBe(0, "a branch of the other pool's lease is a branch that exists");
        error.Should().NotBeEmpty();
        (await _sandbox.RunAsync("maintain")).Code.Should().Be(0);
        (await _sandbox.RunAsync("doctor", "--fix")).Code.Should().Be(0);
        File.ReadAllText(Path.Combine(second, "work.txt")).Should().Be("two\n", "the one pool's keeper leaves the other's slots alone");
        (await _sandbox.RunAsync("release", "--key", "K")).Code.Should().Be(0);
        Sandbox.Git(second, "symbolic-ref", "--short", "HEAD").Should().Be("cr/two");
        (await _sandbox.RunAsync("--pool", Other, "release", "--key", "K")).Code.Should().Be(0);

        (int Code, string Output, string Error)[] runs = await Task.WhenAll(Enumerable.Range(0, 6).Select(number => _sandbox.RunAsync(
            ["--pool", number % 2 == 0 ? Other : _sandbox.PoolDirectory, "run", "--key", $"R-{number}", "--branch", $"cr/r-{number}", "--", "sh", "-c", "git commit -q --allow-empty -m work"])));
        runs.Should().OnlyContain(run => run.Code == 0);
        Sandbox.Git(_sandbox.Repository, "worktree", "list", "--porcelain").Split('\n').Where(line => line.StartsWith("worktree ", StringComparison.Ordinal)).Should().HaveCount(3);
        (await _sandbox.JsonAsync("rescue", "list")).Json.GetProperty("rescues").GetArrayLength().Should().BeGreaterThanOrEqualTo(2, "the work of both was kept");
        _sandbox.ShouldBeReady(0);
    }

    private static async Task ShellAsync(string script, params string[] arguments)
    {
        using var shell = System.Diagnostics.Process.Start("/bin/sh", ["-euc", script, "sh", .. arguments]);
        await shell.WaitForExitAsync(Token);
        shell.ExitCode.Should().Be(0, script);
    }
}
