namespace WorktreePool.DependencyInjection;

/// <summary>The rules of set-up steps and copied files.</summary>
internal static class SetUpRules
{
    /// <summary>Long enough for any name, short enough for a message.</summary>
    private const int LongestName = 100;

    /// <summary>What is wrong; each failure names the setting, its value and the rule.</summary>
    public static IEnumerable<string> Check(WorktreePoolOptions options)
    {
        foreach (string file in options.Copy.Where(file => WhyNotPattern(file) is not null || file.EndsWith('/') || file.Contains('*', StringComparison.Ordinal) || file.Contains('?', StringComparison.Ordinal)))
        {
            yield return $"Copy has \"{file}\"; it names one file from the root of the main checkout, without patterns, for example \"/.env\", and never leaves it or names .git.";
        }

        if (options.Copy.Count > 0 && options.RepositoryPath.Length == 0)
        {
            yield return $"Copy has \"{options.Copy[0]}\", and RepositoryPath is not set; files are copied from a main checkout. Set RepositoryPath, or leave Copy out.";
        }

        foreach ((SetUpStep step, int place) in options.SetUp.Select((step, place) => (step, place)))
        {
            foreach (string failure in Check(step, place, options))
            {
                yield return failure;
            }
        }

        if (options.SetUp.Count > 0 && options.SetUp.All(step => step.Timeout > TimeSpan.Zero))
        {
            TimeSpan sum = options.SetUp.Aggregate(TimeSpan.Zero, (total, step) => total + step.Timeout);
            if (sum >= options.ClaimTimeout)
            {
                yield return $"SetUp: the steps' Timeouts are {sum.TotalSeconds:0.###} s together and ClaimTimeout is {options.ClaimTimeout.TotalSeconds:0.###} s; a claim must be able to run them all, so ClaimTimeout must be above them.";
            }
        }
    }

    private static IEnumerable<string> Check(SetUpStep step, int place, WorktreePoolOptions options)
    {
        string what = $"SetUp: step {place + 1} (\"{step.Name}\")";
        if (string.IsNullOrWhiteSpace(step.Name) || step.Name.Length > LongestName || step.Name.Any(char.IsControl))
        {
            yield return $"SetUp: step {place + 1} has the Name \"{step.Name}\"; it must have 1 to {LongestName} characters and no control characters.";
        }

        if (options.SetUp.Take(place).Any(earlier => earlier.Name == step.Name))
        {
            yield return $"{what} has the Name of an earlier step; every step needs a name of its own.";
        }

        string program = step.Command.Count == 0 ? "" : step.Command[0];
        bool isPath = program.Contains('/', StringComparison.Ordinal) || program.Contains('\\', StringComparison.Ordinal);
        if (program.Length == 0 || (isPath && !Path.IsPathFullyQualified(program)))
        {
            yield return $"{what} has the Command \"{string.Join(' ', step.Command)}\"; it begins with a program, by its absolute path or by a name on PATH: a relative path would run what lies in the slot.";
        }

        if (step.Timeout <= TimeSpan.Zero)
        {
            yield return $"{what} has the Timeout {step.Timeout.TotalSeconds:0.###} s; it must be more than zero.";
        }

        foreach ((string setting, string pattern) in step.Inputs.Select(pattern => (nameof(step.Inputs), pattern)).Concat(step.Makes.Select(pattern => (nameof(step.Makes), pattern))))
        {
            if (WhyNotPattern(pattern) is { } why)
            {
                yield return $"{what}: {setting} has \"{pattern}\"; {why}";
            }
        }

        foreach (string input in step.Inputs.Where(options.Copy.Contains))
        {
            yield return $"{what}: Inputs has \"{input}\", which is in Copy; only files of the commit are inputs.";
        }

        foreach (string variable in step.Environment.Keys.Where(variable => variable.Length == 0 || variable.Contains('=', StringComparison.Ordinal) || variable.StartsWith("WORKTREE_POOL", StringComparison.Ordinal)))
        {
            yield return $"{what}: Environment sets \"{variable}\"; a name is not empty, has no \"=\", and does not begin with WORKTREE_POOL.";
        }
    }

    /// <summary>What is wrong with a path or pattern from a slot's root; null when nothing is.</summary>
    public static string? WhyNotPattern(string pattern) =>
        pattern.Length > 1 && pattern[0] == '/' && !pattern.Contains("//", StringComparison.Ordinal) && !pattern.Split('/').Any(part => part is "." or "..")
        && pattern.Trim('/') != ".git" && !pattern.StartsWith("/.git/", StringComparison.Ordinal) && !pattern.Any(char.IsControl)
            ? null
            : "a pattern is anchored at the slot's root, for example \"/.cache/\", and never leaves it or names .git.";
}
