using System.Text.RegularExpressions;
using WorktreePool.Git.Worktree;

namespace WorktreePool.Git.Cli;

/// <summary>
/// Which of the filters in a user's config can be trusted. Git runs a filter in the slot's directory: one whose command names a file there, by a relative
/// path or by any other way into the repository, would run what the last holder left, whoever wrote the config.
/// </summary>
internal static partial class TrustedFilters
{
    private static readonly string[] Drivers = [".clean", ".smudge", ".process"];

    /// <summary>The filters that lead into the repository or a slot, by name, each with the command that does.</summary>
    /// <param name="settings">Settings of a config; those of filters are looked at.</param>
    /// <param name="checkout">The user's checkout: what is there may be in every slot.</param>
    /// <param name="places">Directories that holders write to: the checkout, the common directory, the slots.</param>
    public static Dictionary<string, string> FindLeading(IEnumerable<KeyValuePair<string, string>> settings, string? checkout, IReadOnlyList<string> places)
    {
        Dictionary<string, string> leading = new(StringComparer.Ordinal);
        foreach ((string key, string command) in settings)
        {
            if (key.StartsWith("filter.", StringComparison.Ordinal) && Array.Find(Drivers, key.EndsWith) is { } driver && Leads(command, checkout, places))
            {
                leading.TryAdd(key["filter.".Length..^driver.Length], command);
            }
        }

        return leading;
    }

    /// <summary>Whether a setting belongs to one of these filters.</summary>
    public static bool IsOf(string key, IReadOnlyDictionary<string, string> filters) =>
        key.StartsWith("filter.", StringComparison.Ordinal) && key.LastIndexOf('.') is > 6 and var dot && filters.ContainsKey(key["filter.".Length..dot]);

    private static bool Leads(string command, string? checkout, IReadOnlyList<string> places)
    {
        if (WhereIAm().IsMatch(command))
        {
            return true;
        }

        bool isProgram = true;
        foreach (string word in Words().Split(command).Where(word => word.Length > 0))
        {
            // "NAME=value PROGRAM": what the shell sets for the program comes first. A value can name a file, too.
            string path = Assignment().Match(word) is { Success: true } set ? word[set.Length..] : word;
            bool isRelative = !Path.IsPathFullyQualified(path) && !path.StartsWith('~') && !path.StartsWith('$') && !path.StartsWith('-');
            if (path.StartsWith("./", StringComparison.Ordinal) || path.StartsWith("../", StringComparison.Ordinal)
                || (isRelative && isProgram && path.Contains('/', StringComparison.Ordinal))
                || (isRelative && checkout is not null && path.Length > 0 && IsThere(checkout, path))
                || places.Any(place => path == place || path.StartsWith(place + "/", StringComparison.Ordinal)))
            {
                return true;
            }

            isProgram = isProgram && path.Length != word.Length;
        }

        return false;
    }

    private static bool IsThere(string checkout, string path) => !path.Contains('\0', StringComparison.Ordinal) && SafeFile.IsRealFile(Path.Combine(checkout, path));

    /// <summary>Ways to say "the directory I am in" to a shell.</summary>
    [GeneratedRegex(@"--show-toplevel|--show-cdup|--git-path|\$\{?(PWD|GIT_WORK_TREE|OLDPWD)\b|\bpwd\b")]
    private static partial Regex WhereIAm();

    [GeneratedRegex(@"[\s'""`;&|()<>]+")]
    private static partial Regex Words();

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z_0-9]*=")]
    private static partial Regex Assignment();
}
