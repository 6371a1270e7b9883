namespace WorktreePool.Cli.Commands;

/// <summary>
/// Which file a command's name means: what a shell standing in the slot would run. .NET itself would look beside this program and in
/// this process's own current directory.
/// </summary>
internal static class Executable
{
    /// <summary>The file; the name itself when there is none, so that starting it fails and says so.</summary>
    public static string Find(string name, string slot)
    {
        if (OperatingSystem.IsWindows())
        {
            return name;
        }

        if (name.Contains('/', StringComparison.Ordinal))
        {
            return Path.GetFullPath(name, slot);
        }

        IEnumerable<string> places = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(place => Path.GetFullPath(Path.Combine(slot, place, name)));
        return places.FirstOrDefault(IsExecutable) ?? $"/nonexistent/{name}";
    }

    private static bool IsExecutable(string file) =>
        !OperatingSystem.IsWindows() && File.Exists(file) && (File.GetUnixFileMode(file) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0;
}
