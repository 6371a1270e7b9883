using System.Globalization;

namespace WorktreePool.Git.Cli;

/// <summary>The message of a rescue's commit: for people to read in git log, and for us to list from.</summary>
internal static class RescueMessage
{
    public static string Write(Rescue rescue) => string.Create(CultureInfo.InvariantCulture, $"""
        Rescued from {rescue.Slot}{(rescue.Key is null ? "" : $" ({rescue.Key})")}: {rescue.Files} files, {rescue.Commits} commits

        Slot: {rescue.Slot}
        Key: {rescue.Key}
        At: {rescue.At:O}
        Files: {rescue.Files}
        Commits: {rescue.Commits}
        Reason: {rescue.Reason}{(rescue.Aside is null ? "" : $"\nAside: {rescue.Aside}")}
        """);

    public static Rescue Read(string reference, string commit, string message)
    {
        string Field(string name) => message.Split('\n').LastOrDefault(line => line.StartsWith(name + ": ", StringComparison.Ordinal))?[(name.Length + 2)..].Trim() ?? "";
        return new Rescue
        {
            Id = reference[RepositoryRefs.RescuePrefix.Length..],
            Ref = reference,
            Commit = commit,
            Key = Field("Key") is { Length: > 0 } key ? key : null,
            Slot = Field("Slot"),
            At = DateTimeOffset.TryParse(Field("At"), CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out DateTimeOffset at) ? at : default,
            Files = int.TryParse(Field("Files"), NumberStyles.None, CultureInfo.InvariantCulture, out int files) ? files : 0,
            Commits = int.TryParse(Field("Commits"), NumberStyles.None, CultureInfo.InvariantCulture, out int commits) ? commits : 0,
            Reason = Field("Reason"),
            Aside = Field("Aside") is { Length: > 0 } aside ? aside : null,
        };
    }
}
