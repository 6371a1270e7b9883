using Microsoft.Extensions.Options;

namespace WorktreePool.DependencyInjection;

/// <summary>The rules of the settings. Every failure names the setting, its value and the rule.</summary>
internal sealed class PoolOptionsValidator : IValidateOptions<WorktreePoolOptions>
{
    /// <summary>Beyond this a pool is almost surely a typing error, and every slot is a whole checkout.</summary>
    private const int MostSlots = 1000;

    public ValidateOptionsResult Validate(string? name, WorktreePoolOptions options)
    {
        List<string> failures = [];
        void Require(bool rule, string failure)
        {
            if (!rule)
            {
                failures.Add($"Pool \"{name}\": {failure}");
            }
        }

        void RequirePositive(string setting, TimeSpan value) => Require(value > TimeSpan.Zero, $"{setting} is {Text(value)}; it must be more than zero.");

        Require(options.RepositoryPath.Length > 0 || options.Remote is not null, "RepositoryPath is not set; it names the git repository.");
        if (options.Remote is { } remote)
        {
            Require(options.Isolated, $"Remote is \"{remote}\" and Isolated is false; only an isolated pool has a remote of its own: set Isolated, too, or leave Remote out and RepositoryPath's remote counts.");
            Require(remote.Trim().Length > 0 && remote[0] != '-' && !remote.Any(char.IsControl), $"Remote is \"{remote}\"; it must be a URL or a path that git can fetch from.");
        }

        Require(options.PoolDirectory.Length > 0, "PoolDirectory is not set; it names the pool's own directory.");
        Require(options.Slots is >= 1 and <= MostSlots, $"Slots is {options.Slots}; it must be 1 to {MostSlots}.");
        RequirePositive(nameof(options.ClaimTimeout), options.ClaimTimeout);
        Require(options.BatchParallelism is >= 1 and <= 64, $"BatchParallelism is {options.BatchParallelism}; it must be 1 to 64.");
        RequirePositive(nameof(options.ReleaseTimeout), options.ReleaseTimeout);
        RequirePositive(nameof(options.LeaseDuration), options.LeaseDuration);
        RequirePositive(nameof(options.QuarantineBackoff), options.QuarantineBackoff);
        Require(options.RescueLimit > 0, $"RescueLimit is {options.RescueLimit}; it must be more than zero.");
        Require(options.RescueCount > 0, $"RescueCount is {options.RescueCount}; it must be at least 1.");
        RequirePositive(nameof(options.RescueRetention), options.RescueRetention);
        if (options.HostTaskTimeout is { } host)
        {
            RequirePositive(nameof(options.HostTaskTimeout), host);
            Require(options.ClaimTimeout < host,
                $"ClaimTimeout is {Text(options.ClaimTimeout)} and HostTaskTimeout is {Text(host)}; ClaimTimeout must be below HostTaskTimeout, or the host kills the task in the middle of a claim.");
        }

        foreach (string pattern in options.Keep)
        {
            Require(SetUpRules.WhyNotPattern(pattern) is null, $"Keep has \"{pattern}\"; {SetUpRules.WhyNotPattern(pattern)}");
        }

        foreach (string failure in SetUpRules.Check(options))
        {
            Require(false, failure);
        }

        foreach (string directory in options.Sparse)
        {
            Require(directory.Trim('/') is { Length: > 0 } path && !path.Split('/').Any(part => part is "" or "." or ".." or ".git") && path.IndexOfAny(['*', '?', '[', ']', '\\', '!', '#']) < 0 && !path.Any(char.IsControl),
                $"Sparse has \"{directory}\"; it names a directory from the slot's root, for example \"src\" or \"docs/api\", and is no pattern.");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static string Text(TimeSpan value) => $"{value.TotalSeconds:0.###} s";
}
