using System.Diagnostics;
using WorktreePool.Git.SetUp;

namespace WorktreePool.Git.Tests.SetUp;

/// <summary>Set-up steps and copied files on a real disk with real processes.</summary>
public sealed class SetUpRunnerTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("worktree-pool-set-up-").FullName;
    private readonly SetUpRunner _runner;
    private readonly SlotPlace _place;

    public SetUpRunnerTests()
    {
        _place = new SlotPlace("slot-0", Path.Combine(_root, "slots", "slot-0"), "slot-0");
        Directory.CreateDirectory(_place.Path);
        Directory.CreateDirectory(Path.Combine(_root, "main", ".git"));
        Directory.CreateDirectory(Path.Combine(_root, "outside"));
        File.WriteAllText(Path.Combine(_root, "outside", "precious"), "precious\n");
        var options = new WorktreePoolOptions { RepositoryPath = Path.Combine(_root, "main"), PoolDirectory = _root, SlotsDirectory = Path.Combine(_root, "slots") };
        _runner = new SetUpRunner(options, TimeProvider.System);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        File.ReadAllText(Path.Combine(_root, "outside", "precious")).Should().Be("precious\n", "nothing outside of the slot changes");
        Run("chmod -R u+rwX . && rm -rf -- \"$PWD\"", _root);
    }

    [Theory]
    [InlineData("echo other > package-lock.json")]
    [InlineData("chmod +x package-lock.json")]
    [InlineData("rm package-lock.json")]
    [InlineData("mv package-lock.json real; ln -s real package-lock.json")]
    [InlineData("mkdir -p packages/b; echo x > packages/b/package.json")]
    [InlineData("mv packages/a packages/c")]
    [InlineData("echo x > tools/deep/other")]
    public async Task A_change_of_an_input_changes_the_fingerprint(string change)
    {
        Run("echo lock > package-lock.json; mkdir -p packages/a tools/deep; echo a > packages/a/package.json; echo t > tools/deep/file; echo x > unrelated");
        SetUpStep step = Step("true", "/package-lock.json", "/packages/*/package.json", "/tools/");
        string before = await _runner.FingerprintAsync(_place, step, Token);
        Run("echo y > unrelated; touch package-lock.json; mkdir empty");
        (await _runner.FingerprintAsync(_place, step, Token)).Should().Be(before);
        Run(change);
        (await _runner.FingerprintAsync(_place, step, Token)).Should().NotBe(before);
    }

    [Fact]
    public async Task A_change_of_the_definition_changes_the_fingerprint()
    {
        List<string> fingerprints = [];
        foreach (Action<SetUpStep> change in new Action<SetUpStep>[] { _ => { }, s => s.Command.Add("x"), s => s.Makes.Add("/x/"), s => s.Environment["A"] = "1", s => s.Environment["A"] = "2", s => s.Name = "other" })
        {
            SetUpStep step = Step("true");
            change(step);
            fingerprints.Add(await _runner.FingerprintAsync(_place, step, Token));
        }

        fingerprints.Should().OnlyHaveUniqueItems();
    }

    [Theory]
    [InlineData("echo changed > node_modules/a/index.js")]
    [InlineData("printf 'INDEX\\n' > node_modules/a/index.js; touch -r node_modules/.stamp node_modules/a/index.js node_modules/a")]
    [InlineData("echo new > node_modules/new")]
    [InlineData("rm node_modules/a/index.js")]
    [InlineData("mv node_modules/a node_modules/b")]
    [InlineData("chmod -x node_modules/.bin/tool")]
    [InlineData("rm -r node_modules")]
    [InlineData("ln -sfn other node_modules/link")]
    [InlineData("cp -a node_modules copy; rm -r node_modules; mv copy node_modules")]
    public async Task Whatever_a_holder_does_to_what_a_step_made_is_seen(string change)
    {
        SetUpStep step = MakingModules();
        await _runner.RunAsync(_place, step, Token);
        string made = await _runner.ExamineAsync(_place, step, Token);
        Run("cat node_modules/a/index.js > /dev/null; ls -R node_modules; echo beside > beside");
        (await _runner.ExamineAsync(_place, step, Token)).Should().Be(made, "reading changes nothing");
        Run(change);
        (await _runner.ExamineAsync(_place, step, Token)).Should().NotBe(made);
    }

    [Fact]
    public async Task By_presence_only_being_there_counts()
    {
        SetUpStep step = MakingModules();
        step.Check = MadeCheck.Presence;
        await _runner.RunAsync(_place, step, Token);
        string made = await _runner.ExamineAsync(_place, step, Token);
        Run("echo changed > node_modules/a/index.js");
        (await _runner.ExamineAsync(_place, step, Token)).Should().Be(made);
        Run("rm -r node_modules");
        (await _runner.ExamineAsync(_place, step, Token)).Should().NotBe(made);
    }

    [Theory]
    [InlineData("ln -s ../../outside node_modules")]
    [InlineData("mkdir node_modules; ln -s ../../../outside node_modules/link; chmod 500 node_modules")]
    [InlineData("ln -s ../../outside web; mkdir -p ../../outside/node_modules")]
    public async Task What_a_step_made_is_removed_and_no_link_is_followed(string before)
    {
        Run(before);
        await _runner.RemoveMadeAsync(_place, Step("true", makes: ["/node_modules", "/web/node_modules/", "/*/node_modules"]), Token);
        Path.Exists(Path.Combine(_place.Path, "node_modules")).Should().BeFalse();
        new FileInfo(Path.Combine(_place.Path, "node_modules")).LinkTarget.Should().BeNull();
        if (before.Contains("web", StringComparison.Ordinal))
        {
            Directory.Exists(Path.Combine(_root, "outside", "node_modules")).Should().BeTrue();
        }
    }

    [Fact]
    public async Task A_step_gets_few_variables_no_input_and_runs_in_the_slot()
    {
        Environment.SetEnvironmentVariable("WORKTREE_POOL_TEST_SECRET", "hidden");
        SetUpStep step = Step("env > seen; pwd >> seen; cat >> seen");
        step.Environment["MINE"] = "given";
        await _runner.RunAsync(_place, step, Token);
        string[] seen = await File.ReadAllLinesAsync(Path.Combine(_place.Path, "seen"), Token);
        seen.Should().Contain("MINE=given").And.Contain("WORKTREE_POOL_SLOT=slot-0").And.Contain($"WORKTREE_POOL_PATH={_place.Path}").And.Contain(_place.Path);
        seen.Should().Contain(line => line.StartsWith("PATH=", StringComparison.Ordinal)).And.NotContain(line => line.Contains("SECRET") || line.StartsWith("GIT_", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_a_step_complains_of_is_not_lost_in_what_it_says_afterwards() =>
        (await Fails(Step("echo refused >&2; seq 100000; exit 3"))).Message.Should().Contain("refused").And.Contain("100000");

    [Fact]
    public async Task A_failure_says_which_step_where_and_the_end_of_what_it_wrote_but_no_secret()
    {
        SetUpStep step = Step("seq 100000; echo \"token $TOKEN refused\" >&2; exit 3");
        step.Environment["TOKEN"] = "very-secret-value";
        string message = (await Fails(step)).Message;
        message.Should().Contain("\"step\"").And.Contain("exit code 3").And.Contain("slot-0").And.Contain("token *** refused").And.NotContain("very-secret");
        message.Length.Should().BeLessThan(3000);
    }

    [Theory]
    [InlineData("no-such-program-anywhere", "no such program")]
    [InlineData("/nowhere/program", "no such program")]
    public async Task A_program_that_is_not_there_is_said_so(string program, string expected) =>
        (await Fails(new SetUpStep { Name = "step", Command = { program } })).Message.Should().Contain(expected);

    [Fact]
    public async Task A_program_in_a_slot_is_never_run()
    {
        Run("printf '#!/bin/sh\\necho ran > ../../outside/ran\\n' > evil; chmod +x evil; cp evil true");
        (await Fails(new SetUpStep { Name = "step", Command = { Path.Combine(_place.Path, "evil") } })).Message.Should().Contain("lies in a slot");
        await _runner.RunAsync(_place, new SetUpStep { Name = "step", Command = { "true" } }, Token);
        File.Exists(Path.Combine(_root, "outside", "ran")).Should().BeFalse();
    }

    [Theory]
    [InlineData("sleep 1000 & sleep 1000")]
    [InlineData("trap '' TERM; (setsid sleep 1000 &) ; sleep 1000")]
    public async Task A_step_that_takes_too_long_is_killed_with_all_it_started(string script)
    {
        SetUpStep step = Step(script);
        step.Timeout = TimeSpan.FromMilliseconds(500);
        (await Fails(step)).Message.Should().Contain("did not end within its Timeout (0.5 s)");
        Left().Should().BeEmpty();
    }

    [Fact]
    public async Task A_cancelled_step_is_killed_with_all_it_started()
    {
        using var cancelled = CancellationTokenSource.CreateLinkedTokenSource(Token);
        Task run = _runner.RunAsync(_place, Step("echo > begun; setsid sleep 1000 & sleep 1000"), cancelled.Token).AsTask();
        while (!File.Exists(Path.Combine(_place.Path, "begun")))
        {
            await Task.Delay(5, Token);
        }

        await cancelled.CancelAsync();
        await ((Func<Task>)(() => run)).Should().ThrowAsync<OperationCanceledException>();
        Left().Should().BeEmpty();
    }

    [Fact]
    public async Task Nothing_of_a_step_outlives_it()
    {
        await _runner.RunAsync(_place, Step("setsid sleep 1000 & exit 0"), Token);
        Left().Should().BeEmpty();
    }

    [Fact]
    public async Task Files_are_copied_with_their_modes_and_taken_out_again()
    {
        Run("echo secret > .env; chmod 600 .env; mkdir -p config/deep; echo x > config/deep/run.sh; chmod 755 config/deep/run.sh; mkdir there; echo y > there/local", Main);
        Run("mkdir there; echo tracked > there/tracked");
        string[] files = ["/.env", "/config/deep/run.sh", "/there/local"];
        await _runner.CopyAsync(_place, files, Token);
        Run("cat .env; stat -c %a .env config/deep/run.sh").Should().Be("secret\n600\n755\n");
        Run("find . -name '*.tmp'").Should().BeEmpty();

        Run("echo changed > .env");
        await _runner.RemoveCopiesAsync(_place, files, Token);
        await _runner.RemoveCopiesAsync(_place, files, Token);
        Run("find . -mindepth 1 | sort").Should().Be("./there\n./there/tracked\n");
    }

    [Theory]
    [InlineData(":", ":", "no regular file")]
    [InlineData("mkdir .env", ":", "no regular file")]
    [InlineData("ln -s ../outside/precious .env", ":", "no regular file")]
    [InlineData("mkfifo .env", ":", "no regular file")]
    [InlineData("echo x > .env", "echo tracked > .env", "has something there already")]
    [InlineData("echo x > .env", "ln -s ../../outside/precious .env", "has something there already")]
    public async Task What_cannot_be_copied_safely_is_refused(string main, string slot, string expected)
    {
        Run(main, Main);
        Run(slot);
        (await Fails(() => _runner.CopyAsync(_place, ["/.env"], Token).AsTask())).Message.Should().Contain(expected).And.Contain("/.env");
    }

    [Fact]
    public async Task No_copy_goes_through_a_link()
    {
        Run("mkdir config; echo new > config/precious", Main);
        Run("ln -s ../../outside config");
        await Fails(() => _runner.CopyAsync(_place, ["/config/precious"], Token).AsTask());
        await _runner.RemoveCopiesAsync(_place, ["/config/precious"], Token);
        Run("rm -r config; ln -s ../outside config", Main);
        await Fails(() => _runner.CopyAsync(_place, ["/config/precious"], Token).AsTask());
    }

    private string Main => Path.Combine(_root, "main");

    private static SetUpStep MakingModules() => Step(
        "mkdir -p node_modules/a node_modules/.bin; echo index > node_modules/a/index.js; echo tool > node_modules/.bin/tool; chmod +x node_modules/.bin/tool; ln -s a node_modules/link; touch -r node_modules/a/index.js node_modules/.stamp", makes: ["/node_modules/"]);

    private static SetUpStep Step(string script, params string[] inputs) => Step(script, [], inputs);

    private static SetUpStep Step(string script, string[] makes, params string[] inputs)
    {
        var step = new SetUpStep { Name = "step", Command = { "/bin/sh", "-c", script } };
        foreach (string pattern in inputs)
        {
            step.Inputs.Add(pattern);
        }

        foreach (string pattern in makes)
        {
            step.Makes.Add(pattern);
        }

        return step;
    }

    private Task<SetUpFailedException> Fails(SetUpStep step) => Fails(() => _runner.RunAsync(_place, step, Token).AsTask());

    private static async Task<SetUpFailedException> Fails(Func<Task> call) => (await call.Should().ThrowAsync<SetUpFailedException>()).Which;

    /// <summary>Processes that still carry the slot's mark.</summary>
    private IEnumerable<string> Left() => Directory.EnumerateDirectories("/proc").Where(proc => int.TryParse(Path.GetFileName(proc), out _)).Where(proc =>
    {
        try
        {
            return File.ReadAllText($"{proc}/environ").Contains($"WORKTREE_POOL_GIT={_place.Path}\0", StringComparison.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    });

    private string Run(string script, string? where = null)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-ec", script]) { WorkingDirectory = where ?? _place.Path, RedirectStandardOutput = true };
        using System.Diagnostics.Process shell = System.Diagnostics.Process.Start(start)!;
        string output = shell.StandardOutput.ReadToEnd();
        shell.WaitForExit();
        shell.ExitCode.Should().Be(0, script);
        return output;
    }
}
