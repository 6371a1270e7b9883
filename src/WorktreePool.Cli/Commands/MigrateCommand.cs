using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using WorktreePool.Cli.Output;
using WorktreePool.Cli.Settings;

namespace WorktreePool.Cli.Commands;

/// <summary>migrate.</summary>
internal static class MigrateCommand
{
    public static Command Create() => App.Command(
        "migrate", "Moves this machine's part of the pool's state to another store; the slots stay. Killed, it is repeated", RunAsync,
        [new Option<string>("--to") { Description = $"{StoreSettings.Files} or {StoreSettings.Postgres}", Required = true }, .. SettingOptions.OfPlace()]);

    private static async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        string from = session.Settings.Effective().Store.Kind;
        PoolSettings target = session.Settings.With("store", session.Get<string>("--to")!);
        string to = target.Effective().Store.Kind;
        StatePart? moved = from == to ? null : await MoveAsync(session, target, cancellationToken);
        target.Save();
        session.Answer.Give(
            new MigratedDocument("migrated", from, to, moved?.Slots.Count ?? 0, moved?.History.Count ?? 0), AnswerJson.Default.MigratedDocument,
            () => moved is null ? $"the pool's state is in {to} already" : $"moved {moved.Slots.Count} slots and {moved.History.Count} history entries from {from} to {to}");
        return ExitCode.Done;
    }

    private static async Task<StatePart?> MoveAsync(Session session, PoolSettings target, CancellationToken cancellationToken)
    {
        try
        {
            // What dead holders and crashes left is cleaned first: only slots at rest can move.
            await session.Pool.MaintainAsync(cancellationToken);
        }
        catch (StateMovedException)
        {
            // A migration that was killed had come this far.
        }

        await using ServiceProvider services = session.Open(target);
        return await StateMove.RunAsync(session.Store, session.StoreOf(services), cancellationToken);
    }
}
