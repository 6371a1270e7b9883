using System.CommandLine;

namespace WorktreePool.Cli.Commands;

/// <summary>remove-host.</summary>
internal static class RemoveHostCommand
{
    private static readonly Argument<string> Host = new("host") { Description = "The host's name, as status --fleet shows it" };

    public static Command Create() => App.Command(
        "remove-host", "Removes a host that is gone for good from a pool in PostgreSQL, with the records of its slots", RunAsync, Host);

    private static async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        string host = session.Parsed.GetValue(Host)!;
        await session.Fleet.RemoveHostAsync(host, cancellationToken);
        return PauseCommands.Done(session, "removed", $"{host} and the records of its slots; what lies on its disks stays");
    }
}
