using Microsoft.Extensions.Options;
using WorktreePool.Settings;

namespace WorktreePool.DependencyInjection;

/// <summary>The rules of the settings. Every failure names the setting, its value and the rule.</summary>
internal sealed class PoolOptionsValidator : IValidateOptions<WorktreePoolOptions>
{
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

        string From(string setting) => options.Sources.TryGetValue(setting, out string? source) ? $" (from {source})" : options.Sources.Count > 0 ? " (the default)" : "";

        foreach (Setting<WorktreePoolOptions> setting in PoolSettingTable.All)
        {
            if (setting.WhyNot(options) is { } broken)
            {
                Require(false, $"{setting.OptionName} is {broken.Value}{From(setting.Name)}; {broken.Rule}");
            }
        }

        Require(options.RepositoryPath.Length > 0 || options.Remote is not null, "RepositoryPath is not set; it names the git repository.");
        if (options.Remote is { } remote)
        {
            Require(options.Isolated, $"Remote is \"{remote}\"{From("remote")} and Isolated is false; only an isolated pool has a remote of its own: set Isolated, too, or leave Remote out and RepositoryPath's remote counts.");
            Require(remote.Trim().Length > 0 && remote[0] != '-' && !remote.Any(char.IsControl), $"Remote is \"{remote}\"{From("remote")}; it must be a URL or a path that git can fetch from.");
        }

        Require(options.PoolDirectory.Length > 0, "PoolDirectory is not set; it names the pool's own directory.");
        if (options.HostTaskTimeout is { } host)
        {
            string claim = $"ClaimTimeout is {Text(options.ClaimTimeout)}{From("claimTimeout")}", hosts = $"HostTaskTimeout is {Text(host)}{From("hostTaskTimeout")}";
            Require(options.ClaimTimeout < host, $"{claim} and {hosts}; ClaimTimeout must be below HostTaskTimeout, or the host kills the task in the middle of a claim.");
            Require(options.ClaimTimeout >= host || options.ClaimTimeout + options.ReleaseTimeout < host,
                $"{claim}, ReleaseTimeout is {Text(options.ReleaseTimeout)}{From("releaseTimeout")} and {hosts}; the first two together must be below HostTaskTimeout, or the host kills the task in the middle of a release.");
        }

        foreach (string pattern in options.Keep)
        {
            Require(SetUpRules.WhyNotPattern(pattern) is null, $"Keep{From("keep")} has \"{pattern}\"; {SetUpRules.WhyNotPattern(pattern)}");
        }

        foreach (string failure in SetUpRules.Check(options))
        {
            Require(false, failure);
        }

        foreach (string directory in options.Sparse)
        {
            Require(directory.Trim('/') is { Length: > 0 } path && !path.Split('/').Any(part => part is "" or "." or ".." or ".git") && path.IndexOfAny(['*', '?', '[', ']', '\\', '!', '#']) < 0 && !path.Any(char.IsControl),
                $"Sparse{From("sparse")} has \"{directory}\"; it names a directory from the slot's root, for example \"src\" or \"docs/api\", and is no pattern.");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static string Text(TimeSpan value) => $"{value.TotalSeconds:0.###} s";
}
