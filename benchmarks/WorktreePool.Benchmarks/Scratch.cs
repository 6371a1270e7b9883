using System.Diagnostics;

namespace WorktreePool.Benchmarks;

/// <summary>Temporary directories, and programs run to the end.</summary>
internal static class Scratch
{
    public static string Create() => Directory.CreateTempSubdirectory("worktree-pool-benchmark-").FullName;

    public static void Remove(string directory) => Run("/", "/bin/rm", "-rf", "--", directory);

    /// <summary>Runs git as a user would who has no config of his own.</summary>
    public static string Git(string directory, params string[] arguments) => Run(directory, "git", arguments);

    public static string Run(string directory, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = directory, RedirectStandardOutput = true };
        start.Environment["GIT_CONFIG_NOSYSTEM"] = "1";
        start.Environment["GIT_CONFIG_GLOBAL"] = "/dev/null";
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output.Trim() : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode} in {directory}");
    }
}
