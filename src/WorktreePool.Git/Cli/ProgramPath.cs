namespace WorktreePool.Git.Cli;

/// <summary>
/// Finds a program by an absolute path, as a shell would by PATH. The system's own search would try the current directory and relative entries, where
/// a slot's holder may have put something of the same name.
/// </summary>
internal static class ProgramPath
{
    /// <summary>The absolute path; null when there is none.</summary>
    /// <param name="program">A name, or an absolute path.</param>
    /// <param name="path">As in the variable PATH.</param>
    public static string? Find(string program, string path)
    {
        IEnumerable<string> places = Path.IsPathFullyQualified(program)
            ? [program]
            : path.Split(Path.PathSeparator).Where(Path.IsPathFullyQualified).Select(directory => Path.Combine(directory, program));
        return places.SelectMany(place => OperatingSystem.IsWindows() ? new[] { place, place + ".exe", place + ".cmd" } : [place]).FirstOrDefault(IsProgram);
    }

    private static bool IsProgram(string path) =>
        File.Exists(path) && (OperatingSystem.IsWindows() || (File.GetUnixFileMode(path) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0);
}
