using System.Text.RegularExpressions;

namespace WorktreePool.Process.Tests.Documents;

/// <summary>
/// The machine that the documents speak of, in a temporary directory: the command and a <c>make</c> on the PATH, a repository, a home with a clone
/// in it, and stand-ins for absolute places. Blocks are run here as what reads them in practice would run them.
/// </summary>
public sealed partial class ExampleStage : IAsyncDisposable
{
    public ExampleStage()
    {
        // What a job does is nobody's business but its own; that it works in the slot it was promised is ours.
        Directory.CreateDirectory(Programs);
        Write(Path.Combine(Programs, "make"), "#!/bin/sh\ntest \"$(pwd -P)\" = \"$WORKTREE_POOL_PATH\" && test -f README.md && echo \"made $*\" > made.txt\n");
        File.CreateSymbolicLink(Path.Combine(Programs, "worktree-pool"), Path.Combine(AppContext.BaseDirectory, "worktree-pool"));
        File.CreateSymbolicLink(Path.Combine(Sandbox.Root, "docs"), Path.Combine(DocumentExample.Root, "docs"));
        foreach (string place in new[] { "src", "pools", "log" })
        {
            Directory.CreateDirectory(Path.Combine(Sandbox.Root, place));
        }

        File.CreateSymbolicLink(Path.Combine(Sandbox.Root, "src", "app"), Sandbox.Repository);
    }

    public Sandbox Sandbox { get; } = new();

    /// <summary>Where a machine has its own programs.</summary>
    public string Programs => Path.Combine(Sandbox.Root, "bin");

    /// <summary>Whether a program is on the test's PATH.</summary>
    public static bool Has(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(place => File.Exists(Path.Combine(place, program)));

    /// <summary>With the places that a document names replaced by those of this stage.</summary>
    public string Here(string text) => text
        .Replace("/srv/pools/app", Sandbox.PoolDirectory, StringComparison.Ordinal)
        .Replace("/usr/local/bin", Programs, StringComparison.Ordinal)
        .Replace("/var/log", Path.Combine(Sandbox.Root, "log"), StringComparison.Ordinal);

    /// <summary>As a person's shell runs it, ending at the first failure.</summary>
    public Task RunBashAsync(string code) => RunAsync(code, ["bash", "-c", "set -e\n" + Here(code)], Person());

    /// <summary>As python3 runs a script.</summary>
    public Task RunPythonAsync(string code) => RunAsync(code, ["python3", Write(Path.Combine(Sandbox.Root, "example.py"), code)], Person());

    /// <summary>As cron runs a line: by /bin/sh in the home, with no terminal, no input, and hardly an environment.</summary>
    public async Task RunCronAsync(string code)
    {
        var settings = new Dictionary<string, string> { ["HOME"] = Sandbox.Root, ["LOGNAME"] = "app", ["SHELL"] = "/bin/sh", ["PATH"] = "/usr/bin:/bin" };
        int commands = 0;
        foreach (string line in Here(code).Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#'))
        {
            if (CronSetting().Match(line) is { Success: true } setting)
            {
                settings[setting.Groups[1].Value] = setting.Groups[2].Value.Trim('"', '\'');
            }
            else
            {
                Match job = CronJob().Match(line);
                job.Success.Should().BeTrue($"five fields and a command make a line of a crontab: {line}");
                line.Should().NotMatchRegex(@"(?<!\\)%", "cron makes a line end of it");
                await RunAsync(line, ["setsid", "--wait", "env", "-i", .. Environs(settings), "/bin/sh", "-c", job.Groups[1].Value.Replace("\\%", "%", StringComparison.Ordinal)]);
                commands++;
            }
        }

        commands.Should().BePositive();
    }

    /// <summary>As a runner of GitHub Actions runs the steps: each by <c>bash -e</c> from a file, with the job's environment.</summary>
    public async Task RunWorkflowAsync(string code)
    {
        WorkflowSteps workflow = WorkflowSteps.Of(Here(code), new Dictionary<string, string>
        {
            ["github.run_id"] = "4711",
            ["github.job"] = "test",
            ["github.sha"] = Sandbox.Base,
        });
        workflow.Runs.Should().NotBeEmpty();
        foreach (string run in workflow.Runs)
        {
            string script = Write(Path.Combine(Sandbox.Root, "step.sh"), run);
            await RunAsync(run, ["bash", "-e", script], Person().Concat(workflow.Environment.Append(new("CI", "true"))));
        }
    }

    /// <summary>As systemd does: the unit is verified, and its command is run without a shell and with the unit's environment only.</summary>
    /// <param name="unit">The unit's text.</param>
    /// <param name="name">Its file's name; with an instance if it is a template's.</param>
    /// <param name="isVerified">Whether systemd-analyze is to see it too.</param>
    public async Task RunUnitAsync(string unit, string name, bool isVerified)
    {
        unit = Here(unit).Replace("%f", Sandbox.PoolDirectory, StringComparison.Ordinal);
        string file = Write(Path.Combine(Sandbox.Root, name), unit);
        if (isVerified)
        {
            await RunAsync(name, ["sh", "-c", $"systemd-analyze verify '{file}'"]);
        }

        var settings = new Dictionary<string, string> { ["PATH"] = Here("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"), ["HOME"] = Sandbox.Root };
        foreach (Match setting in UnitSetting().Matches(unit))
        {
            settings[setting.Groups[1].Value] = setting.Groups[2].Value;
        }

        string command = ExecStart().Match(unit).Groups[1].Value;
        command.Should().MatchRegex(@"^/[\w/ .,:=+-]+$", "systemd knows no shell, and wants the program's whole path");
        await RunAsync(command, ["sh", "-c", $"cd / && exec env -i {string.Join(' ', Environs(settings).Select(pair => $"'{pair}'"))} {command} </dev/null"]);
    }

    /// <summary>What the examples took they have given back, in every pool that they made.</summary>
    public async Task ShouldBeFreeAsync()
    {
        var everywhere = new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 2, AttributesToSkip = FileAttributes.ReparsePoint };
        string[] pools = [.. Directory.EnumerateFiles(Sandbox.Root, "pool.json", everywhere).Select(file => Path.GetDirectoryName(file)!)];
        pools.Should().NotBeEmpty();
        foreach (string pool in pools)
        {
            (await Sandbox.RunAsync("status", "--json", "--pool", pool)).Output.Should().Contain("\"leased\":0", "the examples give back what they take");
        }
    }

    public ValueTask DisposeAsync() => Sandbox.DisposeAsync();

    private async Task RunAsync(string what, string[] command, IEnumerable<KeyValuePair<string, string?>>? environment = null)
    {
        (int code, string output, string error) = await Sandbox.RunAsync(new Invocation { Wrapper = command, Environment = new Dictionary<string, string?>(environment ?? []) });
        code.Should().Be(0, $"{what}\nsaid: {output}{error}");
    }

    private Dictionary<string, string?> Person() => new() { ["PATH"] = $"{Programs}:{Environment.GetEnvironmentVariable("PATH")}", ["HOME"] = Sandbox.Root };

    /// <summary>With where .NET is, if it must be told: the installed command would be the native one, or find it.</summary>
    private static IEnumerable<string> Environs(Dictionary<string, string> settings) =>
        settings.Select(pair => $"{pair.Key}={pair.Value}").Concat(Environment.GetEnvironmentVariable("DOTNET_ROOT") is { } root ? [$"DOTNET_ROOT={root}"] : []);

    private static string Write(string file, string text)
    {
        File.WriteAllText(file, text);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        return file;
    }

    [GeneratedRegex(@"^([A-Za-z_]\w*)\s*=\s*(.*)$")]
    private static partial Regex CronSetting();

    [GeneratedRegex(@"^(?:[\d*/,-]+\s+){5}(.+)$")]
    private static partial Regex CronJob();

    [GeneratedRegex("^Environment=\"?([A-Za-z_]\\w*)=([^\"\n]*)\"?$", RegexOptions.Multiline)]
    private static partial Regex UnitSetting();

    [GeneratedRegex("^ExecStart=(.+)$", RegexOptions.Multiline)]
    private static partial Regex ExecStart();
}
