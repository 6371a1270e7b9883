using System.Diagnostics;
using Xunit;

namespace WorktreePool.Testing.Conformance;

/// <summary>
/// What every <see cref="ISetUpRunner"/> must do, with real files and processes. Derive a test class from it and make the runner; the machine must have a POSIX shell.
/// </summary>
public abstract class SetUpRunnerConformance : IAsyncLifetime
{
    private static readonly TimeProvider Clock = TimeProvider.System;

    private readonly string _root = Directory.CreateTempSubdirectory("worktree-pool-set-up-").FullName;
    private ISetUpRunner _runner = null!;
    private SlotPlace _place = null!;

    /// <summary>Makes the runner under test.</summary>
    /// <param name="options">The main checkout, the pool's directory and that of the slots.</param>
    protected abstract ISetUpRunner Create(WorktreePoolOptions options);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Main => Path.Combine(_root, "main");

    private string Outside => Path.Combine(_root, "outside");

    /// <summary>Makes a main checkout, a slot, and the runner.</summary>
    public async ValueTask InitializeAsync()
    {
        _place = new SlotPlace("slot-0", Path.Combine(_root, "slots", "slot-0"), "slot-0");
        await ShellAsync("mkdir -p main/.git slots/slot-0/src outside && echo precious > outside/precious && echo lock > slots/slot-0/lock && echo code > slots/slot-0/src/code", _root).ConfigureAwait(false);
        _runner = Create(new WorktreePoolOptions { RepositoryPath = Main, PoolDirectory = _root, SlotsDirectory = Path.Combine(_root, "slots") });
        ConformanceOfAttribute.Check(GetType(), _runner.GetType());
    }

    /// <summary>Sees that nothing outside of the slot was touched, and removes everything.</summary>
    public async ValueTask DisposeAsync()
    {
        Assert.Equal("precious\n", await File.ReadAllTextAsync(Path.Combine(Outside, "precious"), Token).ConfigureAwait(false));
        await ShellAsync("chmod -R u+rwX . && rm -rf -- \"$PWD\"", _root).ConfigureAwait(false);
        GC.SuppressFinalize(this);
    }

    /// <summary>The fingerprint is that of the inputs' content and mode and of the step's definition; nothing else in the slot counts.</summary>
    /// <param name="change">What changes.</param>
    /// <param name="counts">Whether it counts.</param>
    [Theory]
    [InlineData("echo other > lock", true)]
    [InlineData("chmod +x lock", true)]
    [InlineData("rm lock", true)]
    [InlineData("echo more > src/more", true)]
    [InlineData("echo other > unrelated; touch lock", false)]
    public async Task The_fingerprint_is_that_of_the_inputs(string change, bool counts)
    {
        SetUpStep step = Step("true", inputs: ["/lock", "/src/"]);
        string before = await _runner.FingerprintAsync(_place, step, Token);
        await ShellAsync(change);
        Assert.Equal(!counts, before == await _runner.FingerprintAsync(_place, step, Token));
        Assert.NotEqual(before, await _runner.FingerprintAsync(_place, Step("false", inputs: ["/lock", "/src/"]), Token));
    }

    /// <summary>What a holder does to what a step made is seen, by status or by presence as the step says; looking changes nothing.</summary>
    /// <param name="check">How it is told.</param>
    /// <param name="change">What the holder does.</param>
    /// <param name="seen">Whether that counts.</param>
    [Theory]
    [InlineData(MadeCheck.Status, "cat made/file; echo other > beside", false)]
    [InlineData(MadeCheck.Status, "echo changed > made/file", true)]
    [InlineData(MadeCheck.Status, "echo new > made/new", true)]
    [InlineData(MadeCheck.Status, "rm -r made", true)]
    [InlineData(MadeCheck.Presence, "echo changed > made/file", false)]
    [InlineData(MadeCheck.Presence, "rm -r made", true)]
    public async Task A_change_of_what_was_made_is_seen(MadeCheck check, string change, bool seen)
    {
        SetUpStep step = Step("mkdir made; echo made > made/file", makes: ["/made/"]);
        step.Check = check;
        await _runner.RunAsync(_place, step, Token);
        string made = await _runner.ExamineAsync(_place, step, Token);
        await ShellAsync(change);
        Assert.Equal(seen, made != await _runner.ExamineAsync(_place, step, Token));
    }

    /// <summary>A command runs in the slot, with its variables and the pool's, and without those of this process.</summary>
    [Fact]
    public async Task A_step_runs_in_the_slot()
    {
        Environment.SetEnvironmentVariable("WORKTREE_POOL_TEST_SECRET", "hidden");
        SetUpStep step = Step("env > seen; pwd >> seen");
        step.Environment["MINE"] = "given";
        await _runner.RunAsync(_place, step, Token);
        string[] seen = await File.ReadAllLinesAsync(Path.Combine(_place.Path, "seen"), Token);
        Assert.Contains("MINE=given", seen);
        Assert.Contains("WORKTREE_POOL_SLOT=slot-0", seen);
        Assert.Contains(_place.Path, seen);
        Assert.DoesNotContain(seen, line => line.Contains("TEST_SECRET", StringComparison.Ordinal));
    }

    /// <summary>A step that fails, or cannot be started, says which it is, and where.</summary>
    /// <param name="program">What is run.</param>
    [Theory]
    [InlineData("/bin/false")]
    [InlineData("/nowhere/program")]
    public async Task A_failure_names_the_step_and_the_slot(string program)
    {
        var failure = await Assert.ThrowsAsync<SetUpFailedException>(async () => await _runner.RunAsync(_place, new SetUpStep { Name = "npm", Command = { program } }, Token));
        Assert.Contains("npm", failure.Message, StringComparison.Ordinal);
        Assert.Contains("slot-0", failure.Message, StringComparison.Ordinal);
    }

    /// <summary>After its time, and when it is cancelled, a step has ended with all that it started.</summary>
    /// <param name="isCancelled">Whether it is cancelled, or takes too long.</param>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_step_ends_with_all_it_started(bool isCancelled)
    {
        SetUpStep step = Step("sleep 600 & echo $! > child; mv child begun; wait");
        step.Timeout = isCancelled ? TimeSpan.FromMinutes(5) : TimeSpan.FromSeconds(2);
        using var cancelled = CancellationTokenSource.CreateLinkedTokenSource(Token);
        Task run = _runner.RunAsync(_place, step, cancelled.Token).AsTask();
        string begun = Path.Combine(_place.Path, "begun");
        while (!run.IsCompleted && !File.Exists(begun))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), Clock, Token);
        }

        if (isCancelled)
        {
            await cancelled.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
        }
        else
        {
            Assert.Contains("Timeout", (await Assert.ThrowsAsync<SetUpFailedException>(() => run)).Message, StringComparison.Ordinal);
        }

        Assert.Equal("", await ShellAsync("! kill -0 \"$(cat begun)\" 2>/dev/null || grep -s '^State:.*[^Z]' \"/proc/$(cat begun)/status\" | grep -v Z || true"));
    }

    /// <summary>What a step made goes, links as links, whatever a holder did to it; what it did not make stays.</summary>
    /// <param name="before">What is there.</param>
    [Theory]
    [InlineData("mkdir -p made/deep; echo x > made/deep/file; chmod 500 made")]
    [InlineData("ln -s ../../outside made")]
    [InlineData("mkdir made; ln -s ../../../outside made/link")]
    [InlineData("true")]
    public async Task What_was_made_is_removed(string before)
    {
        SetUpStep step = Step("true", makes: ["/made", "/made/"]);
        await ShellAsync(before);
        await _runner.RemoveMadeAsync(_place, step, Token);
        await _runner.RemoveMadeAsync(_place, step, Token);
        Assert.Equal("lock\nsrc", await ShellAsync("ls -A"));
    }

    /// <summary>Files are copied with their content and mode, and removed with the directories that only they were in.</summary>
    [Fact]
    public async Task Copies_come_and_go()
    {
        string[] files = ["/.env", "/src/secrets/key"];
        await ShellAsync("echo TOKEN=1 > .env && chmod 640 .env && mkdir -p src/secrets && echo key > src/secrets/key", Main);
        await _runner.CopyAsync(_place, files, Token);
        Assert.Equal("TOKEN=1\n-rw-r-----", await ShellAsync("cat .env; ls -l .env | cut -c1-10"));
        Assert.Equal("key", await ShellAsync("cat src/secrets/key"));
        await _runner.RemoveCopiesAsync(_place, files, Token);
        await _runner.RemoveCopiesAsync(_place, files, Token);
        Assert.Equal("lock\nsrc\ncode", await ShellAsync("ls -A; ls -A src"));
    }

    /// <summary>A file that is not there, is no file, or would be reached through a link is not copied; nothing is written over, and no link is followed in the slot.</summary>
    /// <param name="script">What is wrong; $main is the main checkout.</param>
    [Theory]
    [InlineData("true")]
    [InlineData("mkdir $main/.env")]
    [InlineData("ln -s ../outside/precious $main/.env")]
    [InlineData("echo x > $main/.env; echo own > .env")]
    [InlineData("echo x > $main/.env; ln -s ../../outside/precious .env")]
    public async Task What_cannot_be_copied_is_a_failure(string script)
    {
        await ShellAsync($"main={Main}; {script}");
        string before = await ShellAsync("ls -lA");
        await Assert.ThrowsAsync<SetUpFailedException>(async () => await _runner.CopyAsync(_place, ["/.env"], Token));
        Assert.Equal(before, await ShellAsync("ls -lA"));
    }

    private static SetUpStep Step(string script, string[]? inputs = null, string[]? makes = null)
    {
        var step = new SetUpStep { Name = "step", Command = { "/bin/sh", "-c", script } };
        foreach (string pattern in inputs ?? [])
        {
            step.Inputs.Add(pattern);
        }

        foreach (string pattern in makes ?? [])
        {
            step.Makes.Add(pattern);
        }

        return step;
    }

    private async Task<string> ShellAsync(string script, string? where = null)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-ec", script]) { WorkingDirectory = where ?? _place.Path, RedirectStandardOutput = true };
        using Process shell = Process.Start(start)!;
        string output = await shell.StandardOutput.ReadToEndAsync().ConfigureAwait(false);
        await shell.WaitForExitAsync().ConfigureAwait(false);
        Assert.Equal(0, shell.ExitCode);
        return output.TrimEnd('\n');
    }
}
