using System.Text.Json.Serialization;

namespace WorktreePool.Git.Cli;

/// <summary>
/// The trusted baseline as stored: what the repository was when its user made the pool, or last said "trust". Members have setters, not
/// init, so that one that a later version adds keeps its default when an older file lacks it.
/// </summary>
internal sealed record BaselineDocument
{
    /// <summary>The form this version writes, and the newest it reads.</summary>
    public const int NewestSchema = 1;

    [JsonRequired]
    public int Schema { get; set; } = NewestSchema;

    /// <summary><c>sha1</c> or <c>sha256</c>.</summary>
    [JsonRequired]
    public string ObjectFormat { get; set; } = "sha1";

    /// <summary>Each remote's URL.</summary>
    [JsonRequired]
    public Dictionary<string, string> Remotes { get; set; } = [];

    /// <summary>The URL of each submodule that the user has initialised, by where its git directory is below <c>modules</c>.</summary>
    public Dictionary<string, string> Modules { get; set; } = [];

    /// <summary>Settings of the user's whole config that change how files are written: filters, line ends.</summary>
    [JsonRequired]
    public List<KeyValuePair<string, string>> Checkout { get; set; } = [];

    /// <summary>Filters of the user's config that are not trusted, by name, each with the command that leads into a slot.</summary>
    public Dictionary<string, string> RefusedFilters { get; set; } = [];

    /// <summary>Settings of the user's whole config that a fetch needs: credentials, proxies, rewrites.</summary>
    [JsonRequired]
    public List<KeyValuePair<string, string>> Transport { get; set; } = [];

    /// <summary>The full names of the branches and tags.</summary>
    public List<string> Refs { get; set; } = [];

    /// <summary>SHA-256 of each watched file: of the common directory by its path relative to it, of the user by the absolute one. Empty: not there.</summary>
    [JsonRequired]
    public Dictionary<string, string> Files { get; set; } = [];

    /// <summary>The config file itself, to put back if git can no longer read it.</summary>
    [JsonRequired]
    public string Config { get; set; } = "";

    /// <summary>Where the repository comes from, when it is the pool's own; null when it is a user's.</summary>
    public IsolationDocument? Isolation { get; set; }

    /// <summary>Adds the trusted ssh command to a call's environment: there it is above the setting, and the hermetic one is in its place otherwise.</summary>
    public void AddSshCommand(Dictionary<string, string> environment)
    {
        if (Transport.LastOrDefault(setting => setting.Key == "core.sshcommand").Value is { } ssh)
        {
            environment["GIT_SSH_COMMAND"] = ssh;
        }
    }
}

/// <summary>Where an isolated pool's repository comes from.</summary>
internal sealed record IsolationDocument
{
    /// <summary>The URL it fetches from.</summary>
    [JsonRequired]
    public string Remote { get; set; } = "";

    /// <summary>Whether its worktrees have configs of their own.</summary>
    public bool IsSparse { get; set; }

    /// <summary>The object directory it borrows from; null when it has all objects itself.</summary>
    public string? Borrowed { get; set; }
}

[JsonSourceGenerationOptions(WriteIndented = true, RespectNullableAnnotations = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(BaselineDocument))]
internal sealed partial class BaselineJson : JsonSerializerContext;
