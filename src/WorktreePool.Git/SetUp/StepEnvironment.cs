using WorktreePool.Git.Cli;

namespace WorktreePool.Git.SetUp;

/// <summary>The variables of a step's command: what programs need to work at all, what the step says, and none of the dispatcher's secrets.</summary>
internal static class StepEnvironment
{
    private static readonly HashSet<string> Inherited = new(OperatingSystem.IsWindows() ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal)
    {
        "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR", "TMP", "TEMP",
        "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR",
        "SystemRoot", "SystemDrive", "ComSpec", "PATHEXT", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "ProgramData", "ProgramFiles",
    };

    /// <summary>Replaces what is inherited.</summary>
    public static void Set(IDictionary<string, string?> environment, string path, SlotPlace place, SetUpStep step)
    {
        foreach (string name in environment.Keys.Where(name => !Inherited.Contains(name) && !name.StartsWith("LC_", StringComparison.Ordinal)).ToList())
        {
            environment.Remove(name);
        }

        environment["PATH"] = path;
        environment["WORKTREE_POOL_SLOT"] = place.Slot;
        environment["WORKTREE_POOL_PATH"] = place.Path;

        // By this it is found when its pool process was killed.
        environment[GitRunner.Marker] = place.Path;
        foreach ((string name, string value) in step.Environment)
        {
            environment[name] = value;
        }
    }

    /// <summary>This process's PATH without relative directories, and without those in slots: what a holder left must not run.</summary>
    public static string PathWithout(string slots) => string.Join(
        Path.PathSeparator,
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Where(directory => Path.IsPathFullyQualified(directory) && !IsInside(directory, slots)));

    public static bool IsInside(string path, string directory)
    {
        string full = Path.GetFullPath(path);
        return full == directory || full.StartsWith(directory + Path.DirectorySeparatorChar, StringComparison.Ordinal);
    }
}
