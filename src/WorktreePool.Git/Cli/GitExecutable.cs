namespace WorktreePool.Git.Cli;

/// <summary>Finds git once, by the PATH of this process, as an absolute path: what a slot holds can never be run in its place.</summary>
internal static class GitExecutable
{
    /// <exception cref="GitBackendException">There is no git.</exception>
    public static string Find() =>
        FindOnPath("git") ?? throw new GitBackendException("git was not found on PATH. No slot was touched. Install git, or set PATH for this process.");

    /// <summary>Whether a program that git is to start is there.</summary>
    public static bool IsOnPath(string name) => FindOnPath(name) is not null;

    private static string? FindOnPath(string name) => ProgramPath.Find(name, Environment.GetEnvironmentVariable("PATH") ?? "");
}
