using System.Text.Json.Serialization;

namespace WorktreePool.Git.Cli;

/// <summary>The trusted baseline as stored: what the repository was when its user made the pool, or last said "trust".</summary>
internal sealed record BaselineDocument
{
    public int Schema { get; init; } = 1;

    /// <summary><c>sha1</c> or <c>sha256</c>.</summary>
    public string ObjectFormat { get; init; } = "sha1";

    /// <summary>Each remote's URL.</summary>
    public Dictionary<string, string> Remotes { get; init; } = [];

    /// <summary>Settings of the user's whole config that change how files are written: filters, line ends.</summary>
    public List<KeyValuePair<string, string>> Checkout { get; init; } = [];

    /// <summary>Settings of the user's whole config that a fetch needs: credentials, proxies, rewrites.</summary>
    public List<KeyValuePair<string, string>> Transport { get; init; } = [];

    /// <summary>SHA-256 of each watched file of the common directory, by its path relative to it.</summary>
    public Dictionary<string, string> Files { get; init; } = [];

    /// <summary>The config file itself, to put back if git can no longer read it.</summary>
    public string Config { get; init; } = "";
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(BaselineDocument))]
internal sealed partial class BaselineJson : JsonSerializerContext;
