using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using WorktreePool.Cli.Output;

namespace WorktreePool.Cli.Commands;

/// <summary>doctor.</summary>
internal static class DoctorCommand
{
    public static Command Create() => App.Command("doctor", "Examines every slot and the repository; or, where there is no pool, whether a repository is ready for one", RunAsync,
        [
            new Option<bool>("--fix") { Description = "Heals slots that nobody holds, and leaves a report in the pool's directory" },
            new Option<string?>("--force-slot") { Description = "With --fix: releases this slot first, whoever holds it; its work is kept" },
            new Option<string?>("--report") { Description = "Where to write the report; default with --fix: reports/ in the pool's directory" },
            .. ReadinessCommand.Options(),
        ]);

    private static async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        bool fix = session.Get<bool>("--fix");
        if (ReadinessCommand.RepositoryOf(session) is { } repository)
        {
            return await ReadinessCommand.RunAsync(session, repository, cancellationToken);
        }

        ForcedDocument? forced = session.Get<string?>("--force-slot") is { } name ? await ForceAsync(session, name, fix, cancellationToken) : null;
        DoctorReport report = await ProgressView.WhileAsync(session.Answer, progress => session.Operator.ExamineAsync(fix, cancellationToken, progress).AsTask());
        PoolSnapshot after = await session.Pool.GetSnapshotAsync(cancellationToken);
        DoctorDocument document = Mapping.Doctor(report, after, forced);
        bool isAllWell = report.Repository.Count == 0 && report.Slots.All(slot => slot.Findings.Count == 0);
        string? file = session.Get<string?>("--report") is { } named ? Path.GetFullPath(named) : fix && !isAllWell ? DefaultReport(session) : null;
        if (file is not null)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            await File.WriteAllTextAsync(file, JsonSerializer.Serialize(document, ReadableAnswerJson.Default.DoctorDocument) + "\n", cancellationToken);
        }

        session.Answer.Give(document, AnswerJson.Default.DoctorDocument, () => Wrapping.ToScreen(
            (forced is null ? "" : $"{forced.Slot}: taken from {forced.Key}{(forced.Rescued.Count > 0 ? $"; its work is kept: {string.Join(", ", forced.Rescued)}" : ", which had left no work in it")}\n")
            + new DoctorText(report, after, TimeProvider.System.GetUtcNow()).Of(fix) + (file is null ? "" : $"\nreport: {file}")));
        return report.IsReady ? ExitCode.Done : ExitCode.NotReady;
    }

    /// <summary>Releases the slot; null when nobody holds it.</summary>
    private static async Task<ForcedDocument?> ForceAsync(Session session, string name, bool fix, CancellationToken cancellationToken)
    {
        if (!fix)
        {
            throw new UsageException("--force-slot goes with --fix only.");
        }

        PoolSnapshot snapshot = await session.Pool.GetSnapshotAsync(cancellationToken);
        SlotRecord record = snapshot.Slots.FirstOrDefault(slot => slot.Record.Slot == name)?.Record
            ?? throw new UsageException($"--force-slot: the pool has no slot \"{name}\". It has {SlotRange.Name(snapshot.Slots[0].Record.Slot, snapshot.Slots[^1].Record.Slot)}.");
        return record is { State: SlotState.Leased, Lease: { } lease }
            ? new ForcedDocument(name, lease.Key, (await session.Operator.ReleaseAsync(lease.Key, ReleaseMode.Rescue, cancellationToken)).Rescued)
            : null;
    }

    private static string DefaultReport(Session session) => Path.Combine(
        session.Settings.Directory, "reports", string.Create(CultureInfo.InvariantCulture, $"doctor-{TimeProvider.System.GetUtcNow():yyyyMMdd'T'HHmmss.fff'Z'}.json"));
}
