namespace WorktreePool.Process.Tests.Commands;

/// <summary>Which processes a command starts: each costs a small claim as much as all the rest of it.</summary>
public sealed class ProcessStartTests : IAsyncLifetime
{
    private readonly Sandbox _sandbox = new();

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "A claim is made in this process on Linux.");
        await _sandbox.InitAsync(1);
    }

    public ValueTask DisposeAsync() => _sandbox.DisposeAsync();

    [Theory]
    [InlineData("")]
    [InlineData("refs/remotes/origin/main")]
    [InlineData("ID")]
    public async Task A_claim_finds_its_commit_without_git(string name)
    {
        string[] started = await GitsAsync(["claim", "--key", "K", .. name.Length == 0 ? (string[])[] : ["--base", name == "ID" ? _sandbox.Base : name]]);

        started.Should().NotContain(git => git.Contains("rev-parse", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_short_name_is_gits_to_expand() =>
        (await GitsAsync(["claim", "--key", "K", "--base", "origin/main"])).Should().Contain(git => git.Contains("rev-parse", StringComparison.Ordinal), "so the log sees what is started");

    /// <summary>The arguments of each git that a command starts, by a git that writes them down.</summary>
    private async Task<string[]> GitsAsync(string[] arguments)
    {
        string log = Path.Combine(_sandbox.Root, "gits");
        string path = Environment.GetEnvironmentVariable("PATH")!;
        string git = path.Split(':').Select(directory => Path.Combine(directory, "git")).First(File.Exists);
        string directory = Directory.CreateDirectory(Path.Combine(_sandbox.Root, "bin")).FullName;
        string spy = Path.Combine(directory, "git");
        File.WriteAllText(spy, $"#!/bin/sh\necho \"$*\" >> '{log}'\nexec '{git}' \"$@\"\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(spy, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        (int code, _, string error) = await _sandbox.RunAsync(new Invocation(arguments) { Environment = new Dictionary<string, string?> { ["PATH"] = $"{directory}:{path}" } });
        code.Should().Be(0, error);
        return File.Exists(log) ? File.ReadAllLines(log) : [];
    }
}
