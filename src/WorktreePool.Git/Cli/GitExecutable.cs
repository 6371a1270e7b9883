namespace WorktreePool.Git.Cli;

/// <summary>Finds git once, by the PATH of this process, as an absolute path: what a slot holds can never be run in its place.</summary>
internal static class GitExecutable
{
    /// <exception cref="GitBackendException">There is no git.</exception>
    public static string Find()
    {
        string name = OperatingSystem.IsWindows() ? "git.exe" : "git";
        foreach (string directory in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Where(Path.IsPathFullyQualified))
        {
            string path = Path.Combine(directory, name);
            if (File.Exists(path))
            {
                return path;
            }
        }

        throw new GitBackendException("git was not found on PATH. No slot was touched. Install git, or set PATH for this process.");
    }
}
